"""What SQL files say of the tables that they create, read by sqlglot.

Only the statements that say something of a table are looked at: `create table`, `alter table`,
`create index`, `comment on`, and inserts into `flag_definition`. Functions, grants and whatever else
a file holds are passed over.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from sqlglot import Dialect, Token, TokenType, exp
from sqlglot.errors import SqlglotError

from astra_outputs.catalog import normal
from astra_outputs.catalog.draft import Draft
from astra_outputs.catalog.model import IDENTITY, ColumnFacts, TableFacts, foreign_key, key
from astra_outputs.catalog.spelling import Action, action_of, parts, plain
from astra_outputs.errors import InvalidSQL, MissingFile
from astra_outputs.model.flags import Bit

_POSTGRES = Dialect.get_or_raise("postgres")
_OF_A_TABLE = re.compile(
    r"create (?:unlogged )?table|create (?:unique )?index|alter table|comment on (?:table|column)|insert into"
)
_FLAG_COLUMNS = ["table_name", "column_name", "bit", "name", "meaning"]


def tables_of(files: Iterable[Path]) -> dict[str, TableFacts]:
    """Return what SQL files, in the order in which they are applied, say of tables, by name.

    Raises
    ------
    MissingFile, InvalidSQL
        As `drafts_of`.
    """
    return {name: table.facts() for name, table in drafts_of(files).items()}


def drafts_of(files: Iterable[Path]) -> dict[str, Draft]:
    """Return the same with the names of constraints and indexes.

    Raises
    ------
    MissingFile
        If a file does not exist or cannot be read.
    InvalidSQL
        If a statement cannot be read; the message gives file and line.
    """
    tables: dict[str, Draft] = {}
    for file in files:
        try:
            script = file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise MissingFile(f"{file} cannot be read: {error}") from error
        for statement in _statements(script, file):
            _read(statement, tables)
    return tables


def _statements(script: str, file: Path) -> Iterator[exp.Expression | Action]:
    """Parse each statement for itself, so that one that sqlglot cannot read does not hide the others."""
    try:
        tokens = _POSTGRES.tokenize(script)
    except SqlglotError as error:
        raise InvalidSQL(f"{file}: {error}: is a quotation or comment not closed?") from error
    for chunk in _split(tokens):
        if not _OF_A_TABLE.match(" ".join(token.text for token in chunk[:3]).lower()):
            continue
        for part in parts(plain(chunk)):
            action = action_of(part)
            yield from _parsed(part, script, file) if action is None else [action]


def _parsed(tokens: list[Token], script: str, file: Path) -> Iterator[exp.Expression]:
    try:
        (statement,) = _POSTGRES.parser().parse(tokens, script)
    except SqlglotError as error:
        reason = next((entry["description"] for entry in getattr(error, "errors", [])), str(error))
        line = next((entry["line"] for entry in getattr(error, "errors", [])), tokens[0].line)
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


def _read(statement: exp.Expression | Action, tables: dict[str, Draft]) -> None:
    """Add what one statement says."""
    if isinstance(statement, Action):
        if statement.table in tables:
            _read_action(statement, tables[statement.table])
        return
    if isinstance(statement, exp.Insert):
        _read_flags(statement, tables)
        return
    target = statement.find(exp.Table) if not isinstance(statement, exp.Comment) else None
    match statement:
        case exp.Create(kind="TABLE", this=exp.Schema() as schema):
            table = tables[_name(schema.this)] = Draft(_name(schema.this), schema.this.db)
            for part in schema.expressions:
                _read_part(part, table)
        case exp.Create(kind="INDEX", this=exp.Index() as index) if target and _name(target) in tables:
            _read_index(index, bool(statement.args.get("unique")), tables[_name(target)])
        case exp.Alter(kind="TABLE", args={"actions": [exp.AlterRename() as action]}) if target:
            if _name(target) in tables:
                new = _name(action.this)
                tables[new] = tables.pop(_name(target))
                tables[new].name = new
        case exp.Alter(kind="TABLE") if target and _name(target) in tables:
            for action in statement.args["actions"]:
                _read_change(action, tables[_name(target)])
        case exp.Comment(this=exp.Table() as named, args={"kind": "TABLE" | "table"}):
            if _name(named) in tables:
                tables[_name(named)].comment = statement.expression.name
        case exp.Comment(this=exp.Column() as named) if named.table.lower() in tables:
            tables[named.table.lower()].change(_name(named), comment=statement.expression.name)


def _read_part(part: exp.Expression, table: Draft) -> None:
    """Add one line of `create table`: a column or a constraint of the table."""
    match part:
        case exp.ColumnDef():
            _read_column(part, table)
        case exp.Constraint():
            for constraint in part.expressions:
                _read_constraint(constraint, table, part.name)
        case _:
            _read_constraint(part, table, "")


def _read_column(definition: exp.ColumnDef, table: Draft) -> None:
    name = _name(definition)
    kind = definition.args["kind"]
    table.columns[name] = ColumnFacts(name, normal.type_name_of(kind))
    for constraint in definition.args.get("constraints") or ():
        rule, label = constraint.args["kind"], constraint.name
        match rule:
            case exp.NotNullColumnConstraint():
                table.change(name, nullable=bool(rule.args.get("allow_null")))
            case exp.DefaultColumnConstraint():
                table.change(name, default=_default(rule.this, table))
            case exp.GeneratedAsIdentityColumnConstraint(args={"expression": exp.Expression() as expression}):
                table.change(name, generated=normal.expression_of(expression))
            case exp.GeneratedAsIdentityColumnConstraint():
                table.change(name, default=IDENTITY, nullable=False)
            case exp.ComputedColumnConstraint():
                table.change(name, generated=normal.expression_of(rule.this))
            case exp.PrimaryKeyColumnConstraint():
                table.put_key((name,), label)
            case exp.Reference():
                table.put_foreign_key(_foreign_key([name], rule, table.schema), [name], label)
            case exp.UniqueColumnConstraint():
                _add_unique(table, [name], rule, label)
            case exp.CheckColumnConstraint():
                table.put_check(normal.expression_of(rule.this), label or f"{table.name}_{name}_check")


def _read_constraint(constraint: exp.Expression, table: Draft, name: str) -> None:
    match constraint:
        case exp.PrimaryKey():
            table.put_key(map(_name, constraint.expressions), name)
        case exp.UniqueColumnConstraint(this=exp.Schema() as columns):
            _add_unique(table, map(_name, columns.expressions), constraint, name)
        case exp.ForeignKey():
            here = [_name(column) for column in constraint.expressions]
            text = _foreign_key(here, constraint.args["reference"], table.schema)
            table.put_foreign_key(text, here, name)
        case exp.CheckColumnConstraint():
            table.put_check(normal.expression_of(constraint.this), name or f"{table.name}_check")


def _add_unique(table: Draft, columns: Iterable[str], rule: exp.Expression, name: str) -> None:
    options = [str(option).lower() for option in rule.args.get("options") or ()]
    table.put_unique(
        columns,
        name,
        nulls_not_distinct=bool(rule.args.get("nulls")),
        deferrable="deferrable" in options,
    )


def _read_index(index: exp.Index, unique: bool, table: Draft) -> None:
    parameters = index.args["params"]
    columns = [ordered.this for ordered in parameters.args.get("columns") or ()]
    if parameters.args.get("where") or not all(isinstance(column, exp.Column) for column in columns):
        return  # nothing that a statement of ours could rely on
    if unique:
        table.put_unique(map(_name, columns), index.name)
    else:
        table.indexes[key(map(_name, columns))] = index.name


def _read_action(action: Action, table: Draft) -> None:
    match action:
        case Action(verb="rename constraint", names=(old, new)):
            table.rename_constraint(old, new)
        case Action(verb="add identity", names=(column,)):
            table.change(column, default=IDENTITY, nullable=False)
        case Action(names=(column,)):
            table.change(column, default=None)


def _read_change(action: exp.Expression, table: Draft) -> None:
    """Add one action of `alter table`; those that say nothing of columns and keys are passed over."""
    match action:
        case exp.ColumnDef():
            _read_column(action, table)
        case exp.AddConstraint():
            for part in action.expressions:
                _read_part(part, table)
        case exp.RenameColumn():
            table.rename_column(_name(action.this), _name(action.args["to"]))
        case exp.Drop(kind="CONSTRAINT"):
            table.drop_constraint(_name(action.args["tables"][0]))
        case exp.Drop(kind="COLUMN"):
            table.columns.pop(_name(action.args["tables"][0]), None)
        case exp.AlterColumn(args={"dtype": exp.Expression() as kind}):
            table.change(_name(action), type=normal.type_name_of(kind))
        case exp.AlterColumn(args={"default": exp.Expression() as default}):
            table.change(_name(action), default=_default(default, table))
        case exp.AlterColumn(args={"allow_null": bool(allow_null)}):
            table.change(_name(action), nullable=allow_null)
        case exp.AlterColumn(args={"drop": True}):
            table.change(_name(action), default=None)


def _read_flags(statement: exp.Insert, tables: dict[str, Draft]) -> None:
    """Add the rows that an `insert into flag_definition ... values` lists."""
    target, rows = statement.this, statement.expression
    if _name(target.find(exp.Table)) != "flag_definition" or not isinstance(rows, exp.Values):
        return
    columns = [_name(column) for column in target.expressions] or _FLAG_COLUMNS
    for row in rows.expressions:
        values = dict(zip(columns, (value.name for value in row.expressions), strict=True))
        table = tables.setdefault(values["table_name"], Draft(values["table_name"]))
        bits = table.flags.get(values["column_name"], ())
        bit = Bit(int(values["bit"]), values["name"], values["meaning"])
        table.flags[values["column_name"]] = (*bits, bit)


def _name(node: exp.Expression) -> str:
    """Return the name of a table or column, folded to lower case as PostgreSQL does."""
    identifier = node if isinstance(node, exp.Identifier) else node.this
    name: str = identifier.name
    return name if identifier.args.get("quoted") else name.lower()


def _default(expression: exp.Expression, table: Draft) -> str | None:
    if isinstance(expression, exp.Null):
        return None
    text = normal.expression_of(expression)
    # What pg_dump writes with the schema that the table is in means the same without it.
    return text.replace(f"('{table.schema}.", "('") if table.schema else text


def _foreign_key(here: Iterable[str], reference: exp.Reference, home: str) -> str:
    target = reference.this
    table = target.this if isinstance(target, exp.Schema) else target
    # Without columns it points to the primary key; those of all tables that are referred to are `pk`.
    there = [_name(column) for column in target.expressions] or ["pk"]
    options = [str(option).lower() for option in reference.args.get("options") or ()]
    actions = [option for option in options if option.startswith("on ") and not option.endswith("no action")]
    schema = f"{table.db}." if table.db and table.db != home else ""
    return foreign_key(here, schema + _name(table), there, " ".join(actions))
