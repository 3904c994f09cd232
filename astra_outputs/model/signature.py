"""How a record class is called, as `help` and editors show it: a line a column, with its unit and meaning."""

from __future__ import annotations

import re
from inspect import Parameter, Signature, formatannotation
from typing import Any

WIDTH = 76
"""Columns that `help` leaves of a terminal of 80."""


_MODULE = re.compile(r"\b(?:typing|datetime)\.")


class ColumnsSignature(Signature):
    """A signature that is printed with one column a line and a remark behind each."""

    __slots__ = ("remarks",)

    remarks: dict[str, str]

    def __str__(self) -> str:
        lines = ["("]
        for parameter in self.parameters.values():
            said, remark = f"    {_written(parameter)},", getattr(self, "remarks", {}).get(parameter.name, "")
            if remark and len(said) + 4 + len(remark) <= WIDTH:
                lines.append(f"{said}  # {remark}")
            else:
                lines += [f"    # {remark}"] * bool(remark) + [said]
        lines.insert(1, "    *,")
        return "\n".join([*lines, ")"])

    def format(self, **_: Any) -> str:
        """Return the same, in whatever width it is asked for."""
        return str(self)


def signature_of(record_class: type[Any]) -> Signature:
    """Return the signature of a record class: the columns that a record is given, and its flags."""
    names, remarks = getattr(record_class, "flag_names", None), {}
    if names is None:
        return Signature([Parameter("values", Parameter.VAR_KEYWORD)])
    parameters = []
    for column in record_class.columns():
        if column.written:
            info = record_class.model_fields[column.name]
            default = Parameter.empty if info.is_required() else info.default
            kind = Parameter.KEYWORD_ONLY
            parameters.append(Parameter(column.name, kind, default=default, annotation=info.annotation))
            remarks[column.name] = (
                f"{column.unit}, {column.description}" if column.unit else column.description
            )
    if names.names:
        parameters.append(Parameter("flags", Parameter.VAR_KEYWORD, annotation=bool))
        remarks["flags"] = f"by name, as {next(iter(names.names))}=True"
    signature = ColumnsSignature(parameters, return_annotation=record_class)
    signature.remarks = remarks
    return signature


def _written(parameter: Parameter) -> str:
    stars = "**" * (parameter.kind is Parameter.VAR_KEYWORD)
    default = "" if parameter.default is Parameter.empty else f" = {parameter.default!r}"
    annotation = _MODULE.sub("", formatannotation(parameter.annotation))
    return f"{stars}{parameter.name}: {annotation}{default}"
