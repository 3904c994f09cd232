"""What SQL files say of the tables that they create, read by sqlglot.

Only the statements that say something of a table are looked at: `create table`, `alter table`,
`create index`, `comment on`, and inserts into `flag_definition`. Functions, grants and whatever else
a file holds are passed over.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from sqlglot import Dialect, Token, TokenType, exp
from sqlglot.errors import SqlglotError

from astra_outputs.catalog import normal
from astra_outputs.catalog.model import IDENTITY, ColumnFacts, TableFacts, foreign_key, key, unique_key
from astra_outputs.errors import InvalidSQL, MissingFile
from astra_outputs.model.flags import Bit

_POSTGRES = Dialect.get_or_raise("postgres")
_OF_A_TABLE = ("create table", "create index", "create unique", "alter table", "comment on", "insert into")
_FLAG_COLUMNS = ["table_name", "column_name", "bit", "name", "meaning"]


@dataclass
class _Table:
    """A table while its statements are read."""

    name: str
    columns: dict[str, ColumnFacts] = field(default_factory=dict)
    comment: str = ""
    primary_key: tuple[str, ...] = ()
    foreign_keys: set[str] = field(default_factory=set)
    checks: dict[str, str] = field(default_factory=dict)
    indexes: set[str] = field(default_factory=set)
    flags: dict[str, tuple[Bit, ...]] = field(default_factory=dict)
    uniques: list[tuple[tuple[str, ...], bool, bool]] = field(default_factory=list)


def tables_of(files: Iterable[Path]) -> dict[str, TableFacts]:
    """Return what SQL files, in the order in which they are applied, say of tables, by name.

    Raises
    ------
    MissingFile
        If a file does not exist or cannot be read.
    InvalidSQL
        If a statement cannot be read; the message gives file and line.
    """
    tables: dict[str, _Table] = {}
    for file in files:
        try:
            script = file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise MissingFile(f"{file} cannot be read: {error}") from error
        for statement in _statements(script, file):
            _read(statement, tables)
    return {name: _facts(table) for name, table in tables.items()}


def _statements(script: str, file: Path) -> Iterator[exp.Expression]:
    """Parse each statement for itself, so that one that sqlglot cannot read does not hide the others."""
    try:
        tokens = _POSTGRES.tokenize(script)
    except SqlglotError as error:
        raise InvalidSQL(f"{file}: {error}: is a quotation or comment not closed?") from error
    for chunk in _split(tokens):
        if not " ".join(token.text for token in chunk[:2]).lower().startswith(_OF_A_TABLE):
            continue
        try:
            (statement,) = _POSTGRES.parser().parse(_without_virtual(chunk), script)
        except SqlglotError as error:
            reason = next((entry["description"] for entry in getattr(error, "errors", [])), str(error))
            line = next((entry["line"] for entry in getattr(error, "errors", [])), chunk[0].line)
            raise InvalidSQL(f"{file}, line {line}: cannot read this statement: {reason}") from error
        if isinstance(statement, exp.Expression):
            yield statement


def _split(tokens: Iterable[Token]) -> Iterator[list[Token]]:
    chunk: list[Token] = []
    for token in tokens:
        if token.token_type is not TokenType.SEMICOLON:
            chunk.append(token)
        elif chunk:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def _without_virtual(tokens: list[Token]) -> list[Token]:
    # `generated always as (...) virtual` is new in PostgreSQL 18 and unknown to sqlglot.
    pairs = zip([None, *tokens], tokens, strict=False)
    return [
        token
        for before, token in pairs
        if not (token.text.lower() == "virtual" and before and before.token_type is TokenType.R_PAREN)
    ]


def _read(statement: exp.Expression, tables: dict[str, _Table]) -> None:
    """Add what one statement says."""
    if isinstance(statement, exp.Insert):
        _read_flags(statement, tables)
        return
    target = statement.find(exp.Table) if not isinstance(statement, exp.Comment) else None
    match statement:
        case exp.Create(kind="TABLE", this=exp.Schema() as schema):
            table = tables[_name(schema.this)] = _Table(_name(schema.this))
            for part in schema.expressions:
                _read_part(part, table)
        case exp.Create(kind="INDEX", this=exp.Index() as index) if target and _name(target) in tables:
            _read_index(index, bool(statement.args.get("unique")), tables[_name(target)])
        case exp.Alter(kind="TABLE") if target and _name(target) in tables:
            for action in statement.args["actions"]:
                _read_change(action, tables[_name(target)])
        case exp.Comment(this=exp.Table() as named, args={"kind": "TABLE" | "table"}):
            if _name(named) in tables:
                tables[_name(named)].comment = statement.expression.name
        case exp.Comment(this=exp.Column() as named) if named.table.lower() in tables:
            _change(tables[named.table.lower()], _name(named), comment=statement.expression.name)


def _read_part(part: exp.Expression, table: _Table) -> None:
    """Add one line of `create table`: a column or a constraint of the table."""
    match part:
        case exp.ColumnDef():
            _read_column(part, table)
        case exp.Constraint():
            for constraint in part.expressions:
                _read_constraint(constraint, table, part.name)
        case _:
            _read_constraint(part, table, "")


def _read_column(definition: exp.ColumnDef, table: _Table) -> None:
    name = _name(definition)
    kind = definition.args["kind"]
    table.columns[name] = ColumnFacts(name, normal.type_name_of(kind))
    for constraint in definition.args.get("constraints") or ():
        rule, label = constraint.args["kind"], constraint.name
        match rule:
            case exp.NotNullColumnConstraint():
                _change(table, name, nullable=bool(rule.args.get("allow_null")))
            case exp.DefaultColumnConstraint():
                _change(table, name, default=_default(rule.this))
            case exp.GeneratedAsIdentityColumnConstraint(args={"expression": exp.Expression() as expression}):
                _change(table, name, generated=normal.expression_of(expression))
            case exp.GeneratedAsIdentityColumnConstraint():
                _change(table, name, default=IDENTITY, nullable=False)
            case exp.ComputedColumnConstraint():
                _change(table, name, generated=normal.expression_of(rule.this))
            case exp.PrimaryKeyColumnConstraint():
                table.primary_key = (name,)
            case exp.Reference():
                table.foreign_keys.add(_foreign_key([name], rule))
            case exp.UniqueColumnConstraint():
                _add_unique(table, [name], rule)
            case exp.CheckColumnConstraint():
                table.checks[label or f"{table.name}_{name}_check"] = normal.expression_of(rule.this)


def _read_constraint(constraint: exp.Expression, table: _Table, name: str) -> None:
    match constraint:
        case exp.PrimaryKey():
            table.primary_key = tuple(map(_name, constraint.expressions))
        case exp.UniqueColumnConstraint(this=exp.Schema() as columns):
            _add_unique(table, map(_name, columns.expressions), constraint)
        case exp.ForeignKey():
            here = [_name(column) for column in constraint.expressions]
            table.foreign_keys.add(_foreign_key(here, constraint.args["reference"]))
        case exp.CheckColumnConstraint():
            table.checks[name or f"{table.name}_check"] = normal.expression_of(constraint.this)


def _add_unique(table: _Table, columns: Iterable[str], rule: exp.Expression) -> None:
    options = [str(option).lower() for option in rule.args.get("options") or ()]
    table.uniques.append((tuple(columns), bool(rule.args.get("nulls")), "deferrable" in options))


def _read_index(index: exp.Index, unique: bool, table: _Table) -> None:
    parameters = index.args["params"]
    columns = [ordered.this for ordered in parameters.args.get("columns") or ()]
    if parameters.args.get("where") or not all(isinstance(column, exp.Column) for column in columns):
        return  # nothing that a statement of ours could rely on
    if unique:
        table.uniques.append((tuple(map(_name, columns)), False, False))
    else:
        table.indexes.add(key(map(_name, columns)))


def _read_change(action: exp.Expression, table: _Table) -> None:
    """Add one action of `alter table`; those that say nothing of columns and keys are passed over."""
    match action:
        case exp.ColumnDef():
            _read_column(action, table)
        case exp.AddConstraint():
            for part in action.expressions:
                _read_part(part, table)
        case exp.Drop(kind="COLUMN"):
            table.columns.pop(_name(action.args["tables"][0]), None)
        case exp.AlterColumn(args={"dtype": exp.Expression() as kind}):
            _change(table, _name(action), type=normal.type_name_of(kind))
        case exp.AlterColumn(args={"default": exp.Expression() as default}):
            _change(table, _name(action), default=_default(default))
        case exp.AlterColumn(args={"allow_null": bool(allow_null)}):
            _change(table, _name(action), nullable=allow_null)
        case exp.AlterColumn(args={"drop": True}):
            _change(table, _name(action), default=None)


def _read_flags(statement: exp.Insert, tables: dict[str, _Table]) -> None:
    """Add the rows that an `insert into flag_definition ... values` lists."""
    target, rows = statement.this, statement.expression
    if _name(target.find(exp.Table)) != "flag_definition" or not isinstance(rows, exp.Values):
        return
    columns = [_name(column) for column in target.expressions] or _FLAG_COLUMNS
    for row in rows.expressions:
        values = dict(zip(columns, (value.name for value in row.expressions), strict=True))
        table = tables.setdefault(values["table_name"], _Table(values["table_name"]))
        bits = table.flags.get(values["column_name"], ())
        bit = Bit(int(values["bit"]), values["name"], values["meaning"])
        table.flags[values["column_name"]] = (*bits, bit)


def _name(node: exp.Expression) -> str:
    """Return the name of a table or column, folded to lower case as PostgreSQL does."""
    identifier = node if isinstance(node, exp.Identifier) else node.this
    name: str = identifier.name
    return name if identifier.args.get("quoted") else name.lower()


def _change(table: _Table, name: str, **facts: object) -> None:
    """Change what is known of one column; a comment on one that does not exist changes nothing."""
    if name in table.columns:
        table.columns[name] = replace(table.columns[name], **facts)  # type: ignore[arg-type]


def _default(expression: exp.Expression) -> str | None:
    return None if isinstance(expression, exp.Null) else normal.expression_of(expression)


def _foreign_key(here: Iterable[str], reference: exp.Reference) -> str:
    target = reference.this
    table = target.this if isinstance(target, exp.Schema) else target
    # Without columns it points to the primary key; those of all tables that are referred to are `pk`.
    there = [_name(column) for column in target.expressions] or ["pk"]
    options = [str(option).lower() for option in reference.args.get("options") or ()]
    actions = [option for option in options if option.startswith("on ") and not option.endswith("no action")]
    schema = f"{table.db}." if table.db else ""
    return foreign_key(here, schema + _name(table), there, " ".join(actions))


def _facts(table: _Table) -> TableFacts:
    for name in table.primary_key:
        _change(table, name, nullable=False)
    nullable = {name for name, column in table.columns.items() if column.nullable}
    return TableFacts(
        name=table.name,
        columns=table.columns,
        comment=table.comment,
        primary_key=key(table.primary_key) if table.primary_key else "",
        unique=frozenset(
            unique_key(
                columns,
                nulls_not_distinct=nulls and not nullable.isdisjoint(columns),
                deferrable=deferrable,
            )
            for columns, nulls, deferrable in table.uniques
        ),
        foreign_keys=frozenset(table.foreign_keys),
        checks=table.checks,
        indexes=frozenset(table.indexes),
        flags=table.flags,
    )
