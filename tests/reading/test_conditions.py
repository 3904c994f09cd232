"""Conditions: one boolean expression over known columns gets through, written anew, and nothing else."""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import UTC, datetime
from importlib import import_module
from typing import Any

import asyncpg
import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from astra_outputs import ASPCAP, AstroNN, BossVisitSpectrum, SnowWhite, Source, TheCannon
from astra_outputs.errors import AmbiguousFlag, AstraOutputsError, InvalidCondition, UnknownColumn
from astra_outputs.reading.condition import Condition, order_of
from astra_outputs.reading.question import Question
from astra_outputs.reading.scope import Scope

SCOPE = Scope.of(SnowWhite)


def written(text: str, *parameters: Any, scope: Scope = SCOPE) -> str:
    condition = Condition.of(text, parameters, scope)
    return condition.sql([f"${place + 1}" for place in range(len(condition.values))])


# Bad input.


HOSTILE = [
    "true; drop table astra.source",
    "true) or (1 = 1",
    "true union select 1",
    "teff > 1 -- ) and\n; select 1",
    "drop table astra.source",
    "select 1",
    "with x as (select 1) select 1",
    "exists (select 1)",
    "teff > (select max(teff) from astra.snow_white)",
    "teff in (select 1)",
    "teff = any (select 1)",
    "teff = any (array(select 1))",
    "teff = all ($1)",
    "pg_sleep(10) is null",
    "random() < 0.5",
    "nextval('spectrum_pk_seq') > 0",
    "pg_read_file('/etc/passwd') is not null",
    "pg_catalog.pg_sleep(10) is null",
    "public.abs(teff) > 1",
    "current_setting('x') = 'y'",
    "current_user = 'postgres'",
    "count(*) > 1",
    "max(teff) over () > 1",
    "sum(teff) filter (where true) > 1",
    "teff > 1 order by 1",
    "teff > 1 limit 1",
    "teff > 1 for update",
    "teff = 1 into outfile 'x'",
    "teff::regclass is null",
    "'astra.source'::regclass is null",
    "teff::real > 1",
    "teff::numeric(3, 1) > 1",
    "cast(teff as text[]) is null",
    "$tag$text$tag$ = tag",
    "E'\\\\' = tag",
    "U&'\\0041' = tag",
    "x'1f' = tag",
    "tag collate \"C\" > 'a'",
    "row(teff) = row(1)",
    "(teff, logg) = (1, 2)",
    "array[teff] = array[1]",
    "result.* is null",
    "*",
    "result",
    "result is null",
    "astra.snow_white.teff > 1",
    "ctid = '(0,1)'",
    "xmin = 1",
    "tableoid > 1",
    '"teff"" > 1 or true; --" > 1',
    "teff > @x",
    "teff > ?",
    "teff > %s",
    "teff > %(x)s",
    "teff > $x",
    "teff > $0",
    "teff > $1x",
    "teff > {x}",
    "teff -> 'a' = 1",
    "teff @> 1",
    "interval '1 day' > interval '2 days'",
    "created at time zone 'utc' > created",
    "tag like 'a' escape 'b'",
    "abs(distinct teff) > 1",
    "abs(teff order by logg) > 1",
    "abs(x => 1) > 1",
    "(abs)(teff) > 1",
    '"abs"(teff) > 1',
    "tag similar to 'a'",
    "teff",
    "teff teff",
    "teff >",
    "(teff > 1",
    "teff > '",
    "/* teff > 1",
    "",
    " ",
    ";",
    "\0",
    "teff > 1\0",
    "tag = 'a\0b'",
    "(" * 5_000 + "true" + ")" * 5_000,
    "not " * 5_000 + "true",
]


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: text[:40])
async def test_what_is_not_one_expression_over_known_names_is_refused(
    outputs: Any, spectrum: Any, text: str
) -> None:
    parameters = [1.0] if "$1" in text else []
    with pytest.raises((InvalidCondition, UnknownColumn)):
        await outputs.find(SnowWhite, text, *parameters)
    assert await outputs.find(Source) != []


@pytest.mark.parametrize("text", [None, 3, b"teff > 1", ["teff > 1"], SnowWhite])
def test_a_condition_that_is_no_text_is_refused(text: Any) -> None:
    with pytest.raises(InvalidCondition, match="a condition is a text"):
        Condition.of(text, (), SCOPE)


@pytest.mark.parametrize(
    ("text", "nearest"),
    [
        ("tef > 1", "teff"),
        ("g_mag < 15", "source.g_mag"),
        ("source.teff > 1", "teff"),
        ("source.g_ma < 1", "source.g_mag"),
        ("spectrum.sn > 1", "spectrum.snr"),
        ("flag_low_sn", "flag_low_snr"),
        ('"TEFF" > 1', "teff"),
    ],
)
def test_an_unknown_name_is_refused_with_the_nearest_one(text: str, nearest: str) -> None:
    with pytest.raises(UnknownColumn, match=rf"did you mean {re.escape(nearest)}\?"):
        written(text)


def test_a_flag_that_several_columns_have_is_refused_with_the_names_that_tell_them_apart() -> None:
    names = ASPCAP.flag_names.names
    ambiguous = next(name for name, targets in names.items() if len(targets) > 1)
    with pytest.raises(AmbiguousFlag, match="occurs in several columns"):
        written(ambiguous, scope=Scope.of(ASPCAP))


@pytest.mark.parametrize(
    "text", ["has_flag(result_flags, 'low_sn')", "has_flag(result_flags)", "has_flag(teff, 'low_snr')",
             "has_flag('the_cannon', 'result_flags', result_flags, 'low_snr')",
             "has_flag(result_flags, tag)", "has_flag(1, 'low_snr')", "has_flag(result.*, 'low_snr')"]
)  # fmt: skip
def test_a_flag_that_is_not_there_is_refused(text: str) -> None:
    with pytest.raises(InvalidCondition, match="flag"):
        written(text)


@pytest.mark.parametrize(
    ("text", "parameters", "said"),
    [
        ("teff > $1", [], r"the condition has \$1, and 0 values were given"),
        ("teff > $1", [1, 2], r"the condition has \$1, and 2 values were given"),
        ("teff > $2", [1], r"the condition has \$2, and 1 value was given"),
        ("teff > $1 and logg > $3", [1, 2], r"the condition has \$1, \$3, and 2 values were given"),
        ("teff > 1", [1], "the condition has no parameter, and 1 value was given"),
        ("teff > :low", [1], "the parameters :low want one mapping with their values"),
        ("teff > :low", [{}], ":low has no value"),
        ("teff > :low", [{"low": 1, "high": 2}], "'high' is not in the condition"),
        ("teff > :low and logg > $1", [{"low": 1}], "parameters are either numbers or names"),
    ],
)
def test_parameters_that_are_missing_or_left_over_are_refused(
    text: str, parameters: list[Any], said: str
) -> None:
    with pytest.raises(InvalidCondition, match=said):
        written(text, *parameters)


NAIVE = datetime(2026, 1, 1)  # noqa: DTZ001 (that is what is refused)


@pytest.mark.parametrize(
    "value", [NAIVE, np.datetime64("2026-01-01T00:00"), [NAIVE], np.array([NAIVE], "datetime64[s]")]
)
def test_a_time_without_a_zone_is_refused_since_it_would_be_the_computers_own(value: Any) -> None:
    with pytest.raises(InvalidCondition, match="has no time zone"):
        written("created > $1", value)


def test_a_time_with_a_zone_is_bound_whatever_library_it_is_of() -> None:
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    given: list[Any] = [moment]
    for library, made in (
        ("pandas", lambda of: of.Timestamp(moment)),
        ("astropy.time", lambda of: of.Time("2026-01-01")),
    ):
        with suppress(ImportError):
            given.append(made(import_module(library)))
    for value in given:
        assert Condition.of("created > $1", (value,), SCOPE).values == (moment,)


def test_a_value_with_a_unit_is_refused() -> None:
    units = pytest.importorskip("astropy.units")
    with pytest.raises(InvalidCondition, match="carries a unit: pass a plain number"):
        written("teff > $1", 5000 * units.K)


def test_values_without_a_condition_are_refused() -> None:
    with pytest.raises(InvalidCondition, match="no condition that they belong to"):
        Question.of(SnowWhite, None, (1,), {})


@pytest.mark.parametrize(
    ("text", "values", "said"),
    [
        ("teff > $1", ["hot"], r"\$1"),
        ("teff > 'hot'", [], "hot"),
        ("tag > 5", [], "operator does not exist"),
        ("teff", [], "must be type boolean"),
        ("1 / (result_flags - result_flags) > 0", [], "division by zero"),
        ("sqrt(-1 - teff) > 0", [], "square root"),
    ],
)
async def test_what_only_the_server_can_see_is_said_of_the_condition_too(
    outputs: Any, spectrum: Any, text: str, values: list[Any], said: str
) -> None:
    await outputs.save(SnowWhite.from_spectrum(spectrum, v_astra="0.8.1", teff=5000.0))
    with pytest.raises(InvalidCondition, match=said):
        await outputs.find(SnowWhite, text, *values)


@pytest.mark.parametrize(
    "order", ["tef", "teff desc", "teff; drop table x", "--teff", "teff, logg", "", "abs(teff)", "1", 1, ["teff", 1]]
)  # fmt: skip
def test_an_order_that_is_not_one_of_columns_is_refused(order: Any) -> None:
    with pytest.raises((InvalidCondition, UnknownColumn)):
        order_of(order if not isinstance(order, int) else [order], SCOPE)


# What is sent.


@pytest.mark.parametrize(
    ("text", "parameters", "sent"),
    [
        ("teff > 1", [], '(result."teff" > 1)'),
        ("TEFF>.5", [], '(result."teff" > 0.5)'),
        ('"teff" > 1e5', [], '(result."teff" > 1e5)'),
        ("snow_white.teff > 1", [], '(result."teff" > 1)'),
        ("teff in ($1,$2)", [1, 2], '(result."teff" in ($1, $2))'),
        ("teff = any($1)", [[1]], '(result."teff" = any ($1))'),
        ("flag_low_snr", [], '(result."result_flags" & 1 <> 0)'),
        ("not has_flag(result_flags, 'unconverged')", [], '(not (result."result_flags" & 2 <> 0))'),
        (
            "has_flag('snow_white', 'result_flags', result_flags, 'low_snr')",
            [],
            '(result."result_flags" & 1 <> 0)',
        ),
        ("source.flag_sdss4_apogee2_onebit_gt_0_5", [], '(source."sdss4_apogee2_target1_flags" & 1 <> 0)'),
        ("teff > :a and logg < :b and logg > :a", [{"b": 2, "a": 1}],
         '((result."teff" > $1) and (result."logg" < $2) and (result."logg" > $1))'),
        ("tag = 'it''s'", [], "(result.\"tag\" = 'it''s')"),
        ("tag = 'a\\'", [], "(result.\"tag\" =  E'a\\\\')"),
        ("tag = '$1' /* $2 */ -- $3", [], "(result.\"tag\" = '$1')"),
        ("abs(teff) > 1", [], '(pg_catalog.abs(result."teff") > 1)'),
        ("coalesce(teff, 1) > 1", [], '(coalesce(result."teff", 1) > 1)'),
        ("teff::bigint > 1", [], '(cast(result."teff" as bigint) > 1)'),
        ("teff is not null or logg isnull", [], '((result."teff" is not null) or (result."logg" is null))'),
    ],
)  # fmt: skip
def test_what_is_sent_is_written_anew(text: str, parameters: list[Any], sent: str) -> None:
    assert written(text, *parameters) == sent


def test_a_thousand_alternatives_are_no_nesting() -> None:
    assert written(" or ".join(f"task_pk = {key}" for key in range(2_000))).count("task_pk") == 2_000


TOKENS = st.sampled_from(
    [
        "teff",
        "logg",
        "tag",
        "result_flags",
        "flag_low_snr",
        "source.g_mag",
        "spectrum.snr",
        "classification",
        "1",
        "2.5",
        "'a'",
        "'NaN'",
        "null",
        "true",
        "$1",
        "$2",
        ":a",
        "(",
        ")",
        "[",
        "]",
        ",",
        ";",
        "::",
        ".",
        "*",
        "+",
        "-",
        "/",
        "%",
        "^",
        "&",
        "|",
        "#",
        "<<",
        ">>",
        "=",
        "<>",
        "<",
        ">",
        "<=",
        ">=",
        "||",
        "~",
        "@",
        "?",
        "!",
        "not",
        "and",
        "or",
        "is",
        "in",
        "like",
        "between",
        "any",
        "all",
        "exists",
        "select",
        "from",
        "where",
        "union",
        "case",
        "when",
        "then",
        "else",
        "end",
        "cast",
        "as",
        "interval",
        "abs",
        "coalesce",
        "has_flag",
        "in_carton",
        "is_mwm_target",
        "pg_sleep",
        "now",
        "count",
        "--",
        "/*",
        "*/",
        "$$",
        "\\",
        "'",
        '"',
        "E'x'",
        "drop",
        "table",
        "limit",
        "order",
        "by",
        "over",
        "collate",
        "row",
        "array",
        "lateral",
        "values",
    ]
)


@settings(max_examples=400, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(TOKENS, max_size=12).map(" ".join) | st.text(max_size=30))
@example("teff > 1 and 'a' like tag")
def test_whatever_is_given_what_comes_out_is_made_of_known_words_alone(text: str) -> None:
    try:
        condition = Condition.of(text, (), SCOPE)
    except AstraOutputsError:
        return
    sent = condition.sql([])
    known = r"""(
        (result|source|spectrum)\."\w+" | \ E'([^'\\]|''|\\\\)*' | '([^'\\]|'')*' | \d+(\.\d*)?([eE][+-]?\d+)?
        | (pg_catalog\.\w+|coalesce|greatest|least|nullif|any\ |cast)\( | [-+*/%^&|\#=<>(),]+ | \s
        | (and|or|not|is|distinct|from|null|true|false|in|between|like|ilike|case|when|then|else|end|as|bigint
           |smallint|integer|double|precision|text|boolean|date|timestamptz|numeric)\b
    )*"""
    assert re.fullmatch(known, sent, re.VERBOSE | re.DOTALL), sent
    without_texts = re.sub(r"'(?:[^']|'')*'", "", sent)
    assert "--" not in without_texts
    assert "/*" not in without_texts
    assert without_texts.count("(") == without_texts.count(")")


integers = st.recursive(
    st.sampled_from(["a", "b", "1", "2", "3"]),
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(["+", "-", "*", "&", "|", "#", "<<", ">>"]), inner).map(" ".join),
        inner.map("- {}".format),
        inner.map("({})".format),
    ),
    max_leaves=5,
)
booleans = st.recursive(
    st.one_of(
        st.tuples(integers, st.sampled_from(["=", "<>", "<", "<=", ">", ">="]), integers).map(" ".join),
        st.tuples(integers, integers, integers).map("{0[0]} between {0[1]} and {0[2]}".format),
        st.tuples(integers, integers).map("{0[0]} in ({0[1]}, 2)".format),
        integers.map("{} is null".format),
        st.tuples(integers, integers).map("{0[0]} is distinct from {0[1]}".format),
        st.sampled_from(["true", "a = b is null", "a < b is not true"]),
    ),
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(["and", "or"]), inner).map(" ".join),
        inner.map("not {}".format),
        inner.map("({})".format),
    ),
    max_leaves=5,
)


async def test_operators_bind_as_in_postgresql(connection: asyncpg.Connection) -> None:
    """Written anew with all parentheses, an expression means what PostgreSQL takes the text itself for."""
    await connection.execute("create temporary table numbers (result_flags integer, task_pk integer)")
    await connection.execute(
        "insert into numbers select x, y from unnest(array[0, 1, 5, null]::integer[]) x, unnest(array[2, 3, -4]) y"
    )
    texts: list[str] = []

    @settings(max_examples=300, database=None)
    @given(booleans)
    def collect(text: str) -> None:
        texts.append(re.sub(r"\ba\b", "result_flags", re.sub(r"\bb\b", "task_pk", text)))

    collect()
    compared = 0
    for text in dict.fromkeys(texts):
        try:
            meant = await connection.fetchval(f"select array_agg(({text})) from numbers")
        except (asyncpg.DataError, asyncpg.PostgresSyntaxError):  # too great a number, `a < b < c`
            continue
        compared += 1
        sent = written(text)
        assert await connection.fetchval(f"select array_agg({sent}) from numbers as result") == meant, (
            text,
            sent,
        )


def test_spectra_and_sources_have_their_own_names() -> None:
    assert written("snr > 1 and source.g_mag < 1", scope=Scope.of(BossVisitSpectrum)) == (
        '((spectrum."snr" > 1) and (source."g_mag" < 1))'
    )
    assert written("source.g_mag < 1 or g_mag > 2", scope=Scope.of(Source)) == (
        '((source."g_mag" < 1) or (source."g_mag" > 2))'
    )


def test_a_result_of_spectra_that_nobody_named_asks_for_their_class() -> None:
    class Anonymous(TheCannon):
        """Results of spectra that it does not name."""

        spectrum_class = None

    with pytest.raises(InvalidCondition, match="spectrum_class="):
        written("spectrum.snr > 1", scope=Scope.of(Anonymous))
    assert written("spectrum.snr > 1", scope=Scope.of(Anonymous, BossVisitSpectrum)) == '(spectrum."snr" > 1)'


@pytest.mark.parametrize("record_class", [ASPCAP, AstroNN], ids=lambda kind: kind.table)
async def test_summaries_of_flags_are_conditions_orders_and_columns_as_a_record_tells_them(
    outputs: Any, spectra: Any, connection: Any, record_class: Any
) -> None:
    flags = [0, 1, 7, 1 << 26, 1 << 60]
    results = [
        record_class.from_spectrum(spectrum, v_astra="0.8.0", result_flags=value)
        for spectrum, value in zip(await spectra(5), flags, strict=True)
    ]
    await outputs.save_many(results)
    bad = await outputs.find(record_class, "flag_bad and flag_warn", order_by=["-flag_bad", "task_pk"])
    assert [record.result_flags for record in bad] == [r.result_flags for r in results if r.flag_bad]
    assert bad, "none of the rows would show a difference"
    columns = await outputs.columns(
        record_class, columns=["flag_bad", "flag_warn", "spectrum.flag_bad"], order_by="task_pk"
    ).to_numpy()
    assert columns["flag_bad"].tolist() == [record.flag_bad for record in results]
    assert columns["flag_warn"].tolist() == [record.flag_warn for record in results]
    assert columns["spectrum_flag_bad"].tolist() == [False] * 5
    with pytest.raises(UnknownColumn, match=r"did you mean flag_bad\?"):
        await outputs.find(record_class, "flag_bat")
