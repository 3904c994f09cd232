"""Conditions on what a source was targeted for: cartons, programs and mappers by name, and the survey's own choice."""

from __future__ import annotations

import random
from typing import Any

import asyncpg
import pytest

from astra_outputs import SnowWhite, Source
from astra_outputs.errors import InvalidCondition, UnknownCarton
from astra_outputs.reading.condition import Condition
from astra_outputs.reading.scope import Scope
from astra_outputs.records import carton_flags, cartons, cartons_of
from astra_outputs.records.mwm_targets import mwm_cartons
from astra_outputs.records.spectrum import Spectrum

CARTON = "mwm_snc_100pc"


@pytest.fixture
async def sources(outputs: Any) -> list[Source]:
    """Sources in up to forty cartons each, one of them in none, and one of which nothing is known."""
    draw = random.Random(13)
    labels = [carton.label for carton in cartons()]
    flags = [carton_flags(draw.sample(labels, draw.choice([1, 3, 40]))) for _ in range(60)]
    made = [
        Source(sdss_id=number, sdss5_target_flags=given, n_boss_visits=draw.choice([None, 0, 2]))
        for number, given in enumerate([*flags, b"", None, carton_flags([CARTON])], start=1)
    ]
    await outputs.save_many(made)
    return made


# Bad input.


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("in_carton('mwm_snc_100p')", r"there is no carton 'mwm_snc_100p'; did you mean mwm_snc_100pc\?"),
        ("in_mapper('mvm')", "there is no mapper 'mvm'; there are bhm, mwm, open, ops, too"),
        ("in_program('mwm')", "there is no program 'mwm'; there are"),
    ],
)
def test_a_name_that_is_not_known_is_refused_with_those_that_are(text: str, said: str) -> None:
    with pytest.raises(UnknownCarton, match=said):
        Condition.of(text, (), Scope.of(SnowWhite))


@pytest.mark.parametrize(
    "text",
    [
        "in_carton()",
        "in_carton('mwm_snc_100pc', 'mwm_snc_100pc')",
        "in_carton(source.lead, 'mwm_snc_100pc')",
        "in_carton(lower(source.lead))",
        "in_carton(source.sdss5_target_flags)",
        "in_carton($1)",
        "in_mapper(1)",
        "is_mwm_target('mwm')",
    ],
)
def test_what_is_not_one_name_is_refused(text: str) -> None:
    with pytest.raises(InvalidCondition):
        Condition.of(text, ("mwm_snc_100pc",) if "$" in text else (), Scope.of(SnowWhite))


def test_rows_that_have_no_source_have_no_cartons() -> None:
    with pytest.raises(InvalidCondition, match="there is no source here"):
        Condition.of("in_mapper('mwm')", (), Scope.of(Spectrum))


# What is found.


BY_NAME = [
    ("in_carton('mwm_snc_100pc')", "name", CARTON),
    ("in_carton(source.sdss5_target_flags, 'mwm_snc_100pc_0.1.0')", "label", f"{CARTON}_0.1.0"),
    ("in_carton('openfibertargets_nov2020_1000')", "name", "openfibertargets_nov2020_1000"),
    ("in_program('mwm_yso')", "program", "mwm_yso"),
    ("in_mapper('bhm')", "mapper", "bhm"),
]


async def test_sources_are_found_by_the_cartons_that_they_are_in(outputs: Any, sources: list[Source]) -> None:
    for text, attribute, name in BY_NAME:
        expected = {
            source.sdss_id
            for source in sources
            if any(getattr(carton, attribute) == name for carton in cartons_of(source.sdss5_target_flags))
        }
        assert expected, text
        found = await outputs.find(Source, text)
        assert {source.sdss_id for source in found} == expected, text
        rest = await outputs.columns(Source, f"not {text}", columns=["sdss_id"]).to_numpy()
        assert set(rest["sdss_id"].tolist()) == {source.sdss_id for source in sources} - expected, text


async def test_the_survey_s_targets_are_those_of_its_cartons_or_of_apogee_that_were_visited(
    outputs: Any, sources: list[Source]
) -> None:
    old = Source(sdss_id=1000, sdss4_apogee_id="2M00000000+0000000", n_apogee_visits=3)
    await outputs.save(old)
    wanted = {carton.bit for carton in mwm_cartons()}
    expected = {
        source.sdss_id
        for source in sources
        if source.n_boss_visits and wanted & {carton.bit for carton in cartons_of(source.sdss5_target_flags)}
    }
    assert 0 < len(expected) < len(sources)
    found = await outputs.find(Source, "is_mwm_target()")
    assert {source.sdss_id for source in found} == {*expected, 1000}


async def test_results_are_found_by_the_cartons_of_their_sources(
    outputs: Any, spectra: Any, connection: asyncpg.Connection
) -> None:
    first, second = await spectra(2)
    await outputs.save_many([SnowWhite.from_spectrum(one, v_astra="0.8.0") for one in (first, second)])
    await connection.execute(
        "update astra.source set sdss5_target_flags = $1 where pk = $2",
        carton_flags([CARTON]),
        second.source_pk,
    )
    (found,) = await outputs.find(SnowWhite, "in_mapper('mwm') and v_astra = 8000")
    assert found.spectrum_pk == second.spectrum_pk
