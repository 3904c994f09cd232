"""Records share what they have in common; none of them notices."""

from __future__ import annotations

import copy
import gc
import pickle
import threading
import tracemalloc
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from pydantic import PrivateAttr, create_model, field_validator, model_validator

from astra_outputs import (
    BitFlags,
    Flags,
    InvalidRecord,
    Outcome,
    PipelineOutputMixin,
    Real,
    RealArray,
    TheCannon,
    column,
)
from astra_outputs.errors import KeyMismatch, ReadOnlyColumn, UnknownColumn
from astra_outputs.model.outcome import assign

SPECTRUM = SimpleNamespace(spectrum_pk=11, source_pk=7)
V = "0.8.1"


class LightFlags(BitFlags):
    LOW_SNR = 0, "S/N is low"
    FAILED = 1, "No result"


class Light(PipelineOutputMixin):
    """Light results."""

    teff: Real = column(unit="K", description="Effective temperature")
    logg: Real = column(unit="dex", description="Surface gravity")
    flux: RealArray = column(description="Flux")
    result_flags: Flags = column(description="Flags", bits=LightFlags)


def light(**values: Any) -> Light:
    return Light.from_spectrum(SPECTRUM, v_astra=V, **values)


GIVEN = {"spectrum_pk", "source_pk", "v_astra"}


def shared(record: Light) -> set[str]:
    return record.__pydantic_fields_set__


# The copy of a record is validated like an assignment, and was not saved.


@pytest.fixture
def saved() -> Light:
    record = light(teff=5000.0)
    assign(record, Outcome.REPLACED, task_pk=3)
    return record


@pytest.mark.parametrize(
    ("update", "error", "reason"),
    [
        ({"teff": "hot"}, InvalidRecord, r"light\.teff = 'hot': must be a number"),
        ({"spectrum_pk": 12}, KeyMismatch, "spectrum_pk = 12"),
        ({"tef": 1.0}, UnknownColumn, "did you mean teff"),
        ({"flag_low_sn": True}, UnknownColumn, "did you mean flag_low_snr"),
        ({"task_pk": 4}, ReadOnlyColumn, "task_pk"),
        ({"outcome": "inserted"}, UnknownColumn, "outcome"),
    ],
)
def test_what_cannot_be_assigned_cannot_be_given_to_a_copy(saved, update, error, reason):
    for copied in (saved.model_copy, saved.copy):
        with pytest.raises(error, match=reason):
            copied(update=update)
    assert (saved.teff, saved.task_pk, saved.outcome) == (5000.0, 3, Outcome.REPLACED)


def test_a_copy_with_other_values_is_no_saved_record(saved):
    changed = saved.model_copy(update={"teff": float("nan"), "flag_failed": True})
    assert (changed.teff, changed.flag_failed) == (None, True)
    assert (changed.outcome, changed.task_pk) == (None, None)
    assert (saved.teff, saved.flag_failed, saved.outcome) == (5000.0, False, Outcome.REPLACED)
    same = saved.model_copy()
    assert (same, same.outcome, same.task_pk) == (saved, Outcome.REPLACED, 3)


def test_a_deep_copy_shares_no_list():
    record = light(flux=[1.0])
    record.model_copy(deep=True, update={"teff": 1.0}).flux.append(2.0)
    assert record.flux == [1.0]


def test_there_is_no_way_around_validation():
    with pytest.raises(InvalidRecord, match="must be a number"):
        Light.model_construct(spectrum_pk=1, v_astra=8001, teff="hot")
    record = light(teff=1.0)
    with pytest.raises(InvalidRecord, match="teff = None: cannot be taken away; assign None"):
        del record.teff
    assert record.teff == 1.0


def test_a_column_that_the_database_computes_is_named_as_such():
    with pytest.raises(
        InvalidRecord, match="v_astra_major_minor = 9: is computed by the database; leave it out"
    ):
        Light(spectrum_pk=1, v_astra=8001, v_astra_major_minor=9)


# One set of names for all records that were given the same.


def test_records_that_were_given_the_same_columns_share_the_set_of_their_names():
    one, other = light(teff=1.0), light(teff=2.0)
    assert shared(one) is shared(other)
    assert one.model_fields_set == GIVEN | {"teff"}
    assert shared(light(logg=1.0)) == GIVEN | {"logg"}
    assert shared(light(teff=3.0)) is shared(one)


@pytest.mark.parametrize("name", ["logg", "flag_failed", "result_flags", "flux"])
def test_an_assignment_reaches_no_other_record(name):
    value: Any = {"logg": 2.0, "flag_failed": True, "result_flags": 3, "flux": [1.0]}[name]
    one, other = light(teff=1.0), light(teff=2.0)
    setattr(one, name, value)
    assert getattr(one, name) == value
    assert one.model_fields_set - other.model_fields_set == {name.replace("flag_failed", "result_flags")}
    assert light(teff=3.0).model_fields_set == GIVEN | {"teff"}


def test_a_refused_assignment_reaches_no_other_record_either():
    one, other = light(teff=1.0), light(teff=2.0)
    with pytest.raises(InvalidRecord):
        one.logg = "high"
    assert other.model_fields_set == one.model_fields_set == GIVEN | {"teff"}
    assert one.logg is None


def test_the_set_that_is_asked_for_belongs_to_who_asked():
    one, other = light(teff=1.0), light(teff=2.0)
    one.model_fields_set.add("logg")
    assert other.model_fields_set == one.model_fields_set == GIVEN | {"teff"}


def test_values_that_need_conversion_share_as_well():
    values = [light(teff=5777, logg=float("nan")) for _ in range(20)]
    assert len({id(shared(record)) for record in values}) == 1


def built_in_every_way() -> list[Light]:
    keys = {"spectrum_pk": 11, "source_pk": 7, "v_astra": 8001}
    return [
        light(teff=1.0, flag_failed=True),
        Light(**keys, teff=1.0, flag_failed=True),
        Light.model_validate({**keys, "teff": 1.0, "flag_failed": True}),
        Light.model_validate({**keys, "teff": 1.0, "result_flags": 2}),
        Light.model_validate({**keys, "teff": 1, "result_flags": 2.0}),
        Light.from_spectrum(SPECTRUM, {"v_astra": V, "flag_failed": True}, teff=1.0),
        light(teff=2.0, flag_failed=True).model_copy(update={"teff": 1.0}),
    ]


def test_a_record_is_the_same_whichever_way_it_was_made():
    first, *others = built_in_every_way()
    for other in others:
        assert other == first
        assert repr(other) == repr(first)
        assert other.model_dump(exclude_unset=True) == first.model_dump(exclude_unset=True)
        assert other.model_dump() == first.model_dump()
        assert list(other.__dict__) == list(first.__dict__)


@pytest.mark.parametrize(
    "again",
    [copy.copy, copy.deepcopy, lambda record: pickle.loads(pickle.dumps(record)), Light.model_copy],
    ids=["copy", "deepcopy", "pickle", "model_copy"],
)
def test_a_copy_is_equal_and_goes_its_own_way(again):
    record = light(teff=1.0)
    twin = again(record)
    assert twin == record
    assert twin.model_dump(exclude_unset=True) == record.model_dump(exclude_unset=True)
    twin.logg = 4.0
    assert record.logg is None
    assert record.model_fields_set == GIVEN | {"teff"}
    assert twin.model_fields_set == GIVEN | {"teff", "logg"}


def test_what_was_given_is_not_changed():
    given = {"spectrum_pk": 1, "v_astra": 8001, "flag_failed": True}
    assert Light.model_validate(given).flag_failed
    assert given == {"spectrum_pk": 1, "v_astra": 8001, "flag_failed": True}


def test_threads_do_not_mix_up_the_names_of_their_records():
    wrong: list[Any] = []

    def work(name: str) -> None:
        for _ in range(3000):
            record = light(**{name: 1.0})
            if shared(record) != GIVEN | {name} or getattr(record, name) != 1.0:
                wrong.append(record)

    threads = [threading.Thread(target=work, args=(name,)) for name in ("teff", "logg", "teff", "logg")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_threads_may_all_make_the_first_record_of_a_class():
    for _ in range(20):

        class First(Light):
            """Results that nobody has made yet."""

        begin, made = threading.Barrier(4), []

        def work(made: list[Any] = made, begin: threading.Barrier = begin, first: Any = First) -> None:
            begin.wait()
            made.append(first.from_spectrum(SPECTRUM, v_astra=V, teff=np.float32(1.5), flag_failed=True))

        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert [record.teff for record in made] == [1.5] * 4


# Rules of a class's own.


def test_a_record_with_a_flag_by_name_is_validated_once():
    seen: list[Any] = []

    class Counted(Light):
        """Results that count."""

        @field_validator("teff")
        @classmethod
        def counted(cls, value: Any) -> Any:
            seen.append(value)
            return value

    made = Counted.from_spectrum(SPECTRUM, v_astra=V, teff=1.0, flag_failed=True)
    assert (made.flag_failed, seen) == (True, [1.0])
    Counted.model_validate({"spectrum_pk": 1, "v_astra": 8001, "teff": 2.0, "flag_failed": False})
    assert seen == [1.0, 2.0]


def test_rules_over_several_columns_hold_in_every_way():
    class Whole(Light):
        """Results with a rule of their own."""

        _note: str = PrivateAttr("made")

        @model_validator(mode="after")
        def both(self) -> Any:
            if (self.teff is None) != (self.logg is None):
                raise ValueError("teff and logg go together")
            return self

    assert Whole.from_spectrum(SPECTRUM, v_astra=V, teff=1.0, logg=2.0)._note == "made"
    with pytest.raises(InvalidRecord, match="go together"):
        Whole.from_spectrum(SPECTRUM, v_astra=V, teff=1.0)
    with pytest.raises(InvalidRecord, match="go together"):
        Whole(spectrum_pk=1, v_astra=8001, teff=1.0)


# What it is for.


def test_a_record_of_171_values_takes_at_most_8_kibibytes():
    fields: dict[str, Any] = {f"c{index}": (Real, column(description="One")) for index in range(162)}
    wide = create_model("Wide", __base__=PipelineOutputMixin, __module__=__name__, **fields)
    values = {name: index / 8 for index, name in enumerate(fields)}
    assert len(wide.columns()) == 172  # v_astra_major_minor is not a record's
    wide.from_spectrum(SPECTRUM, values, v_astra=V)
    gc.collect()
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()
    kept = [wide.from_spectrum(SPECTRUM, values, v_astra=V) for _ in range(200)]
    after, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (after - before) / len(kept) <= 8 * 1024


def test_a_built_in_class_builds_light_records():
    one, other = (TheCannon.from_spectrum(SPECTRUM, v_astra=V, teff=value) for value in (1.0, 2.0))
    assert one.__pydantic_fields_set__ is other.__pydantic_fields_set__
