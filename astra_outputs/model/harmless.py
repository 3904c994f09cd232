"""Which values may be shown to Pydantic's native rules of numbers and times.

Such a rule asks whatever is no number for `__float__` and stores what that says: 1.0 for `np.True_`, the real part of
a complex number, 0.05 for 5 percent, and for a masked value of astropy what stands below its mask. And it keeps a time
of pandas' as it is, nanoseconds included. Values of such types go to the rule in Python, which knows them.
"""

from __future__ import annotations

import numbers
from collections.abc import Collection
from datetime import datetime
from typing import Any

from pydantic_core import CoreSchema, core_schema

_harmless: set[type] = {type(None), bool, int, float, str, bytes, list, dict, datetime}
_all_known = _harmless.issuperset


def are_harmless(values: Collection[Any]) -> bool:
    """Tell whether native rules may be shown all of these values; what was seen of a type is remembered."""
    return _all_known(map(type, values)) or all(map(_is_harmless, {*map(type, values)}))


def _is_harmless(kind: type) -> bool:
    if kind in _harmless:
        return True
    if issubclass(kind, datetime):
        return False
    says_so = hasattr(kind, "__float__") or hasattr(kind, "__index__")
    if says_so and (not issubclass(kind, numbers.Real) or kind.__name__ == "timedelta64"):
        return False
    _harmless.add(kind)
    return True


class _Kinds(type):
    def __instancecheck__(cls, value: Any) -> bool:
        return _is_harmless(type(value))


class _Harmless(metaclass=_Kinds):
    """What a value is an instance of that a native rule may be shown."""


def guarded(rule: CoreSchema) -> CoreSchema:
    """Return a native rule that refuses values that it should not be shown; JSON has none of them."""
    only = core_schema.is_instance_schema((float, _Harmless))
    return core_schema.json_or_python_schema(
        json_schema=rule, python_schema=core_schema.chain_schema([only, rule])
    )


def unguarded(rule: Any) -> Any:
    """Return the native rule itself, for values of which `are_harmless` was asked."""
    return rule["json_schema"] if rule["type"] == "json-or-python" else rule
