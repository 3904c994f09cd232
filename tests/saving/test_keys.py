"""Keys that a call has had: every one is found again, in little memory."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from astra_outputs.saving.keys import Keys, indexes_of
from astra_outputs.saving.seen_keys import MOST_SPANS, SeenKeys, numbers_of, unsigned

keys = st.lists(st.tuples(st.integers(-(2**63), 2**63 - 1), st.integers(0, 2)), min_size=1, max_size=20)
far = st.integers(0, 3) | st.integers(-(2**63), 2**63 - 1)


@given(first=keys, second=keys)
def test_exactly_the_keys_of_an_earlier_batch_are_found(
    first: list[tuple[int, int]], second: list[tuple[int, int]]
) -> None:
    seen = SeenKeys()
    seen.add(numbers_of(list(zip(*first, strict=True))), range(len(first)))
    found = seen.again(numbers_of(list(zip(*second, strict=True))))
    assert set(found) == {((family,), unsigned(number)) for number, family in set(first) & set(second)}


def test_a_key_is_traced_to_its_batch() -> None:
    seen = SeenKeys()
    for start in range(0, 100, 10):
        seen.add(numbers_of([range(start, start + 10)]), range(start, start + 10))
    assert seen.where((), 37) == range(30, 40)


def test_any_number_of_small_batches_are_remembered_in_a_few_spans() -> None:
    seen = SeenKeys()
    for start in range(0, 20_000, 2):
        seen.add(numbers_of([range(start, start + 2)]), range(start, start + 2))
    assert len(seen._spans[()]) <= MOST_SPANS
    where = seen.where((), 12_345)
    assert 12_345 in where
    assert len(where) < 100


@given(
    pairs=st.lists(st.tuples(far, far), min_size=1, max_size=20, unique=True),
    some=st.lists(st.integers(0, 19), unique=True),
)
def test_keys_are_found_among_others_however_far_apart_their_numbers_are(
    pairs: list[tuple[int, int]], some: list[int]
) -> None:
    first, second = (np.array(numbers, np.int64) for numbers in zip(*sorted(pairs), strict=True))
    among = Keys(("first", "second"), (first, second))
    wanted = np.array([index for index in some if index < len(pairs)], np.intp)
    assert indexes_of(among.take(wanted), among).tolist() == wanted.tolist()
