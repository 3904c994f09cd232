"""Conditions on what a source was targeted for: a carton, a program, a mapper, and the survey's own choice of targets.

Bits of `sdss5_target_flags` are known by name here, so that no table of names is asked, and the server's functions need
not be there.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from astra_outputs.errors import InvalidCondition
from astra_outputs.reading.scope import SOURCE, Scope
from astra_outputs.records.mwm_targets import mwm_cartons
from astra_outputs.records.targeting_cartons import Carton, cartons_in, cartons_named

FLAGS = "sdss5_target_flags"

CHOSEN = "is_mwm_target"
WORDS = frozenset({"in_carton", "in_program", "in_mapper", CHOSEN})
"""What may be called: `in_carton('mwm_snc_100pc')`, `in_program('mwm_wd')`, `in_mapper('mwm')`, `is_mwm_target()`."""


def targeted(word: str, names: Sequence[str], scope: Scope) -> str:
    """Return the condition on a source that a word stands for, as SQL.

    Raises
    ------
    InvalidCondition
        If the rows have no source, or it is not one name that is given.
    UnknownCarton
        If there is no carton, program or mapper of this name.
    """
    flags = scope.column(SOURCE, FLAGS).sql
    if word == CHOSEN and not names:
        visits = [scope.column(SOURCE, name).sql for name in ("n_apogee_visits", "n_boss_visits")]
        seen = " or ".join(f"{count} > 0" for count in visits)
        in_sdss4 = f"{scope.column(SOURCE, 'sdss4_apogee_id').sql} is not null"
        return f"(({in_sdss4} or {any_bit(flags, mwm_cartons())}) and ({seen}))"
    if word == CHOSEN or len(names) != 1:
        raise InvalidCondition(
            f"{word} takes {'nothing' if word == CHOSEN else 'one name'}; "
            "write in_carton('mwm_snc_100pc'), in_program('mwm_wd'), in_mapper('mwm') or is_mwm_target()"
        )
    (name,) = names
    if word == "in_carton":
        return any_bit(flags, cartons_named(name))
    return any_bit(flags, cartons_in("program" if word == "in_program" else "mapper", name))


def any_bit(flags: str, cartons: Iterable[Carton]) -> str:
    """Return the condition that one of the cartons' bits is set in bytes, which may be fewer than the last bit needs."""
    masks: dict[int, int] = {}
    for carton in cartons:
        byte, bit = divmod(carton.bit, 8)
        masks[byte] = masks.get(byte, 0) | 1 << bit
    tests = [
        f"case when pg_catalog.length({flags}) > {byte} "
        f"then pg_catalog.get_byte({flags}, {byte}) & {mask} <> 0 else false end"
        for byte, mask in sorted(masks.items())
    ]
    return f"({' or '.join(tests)})"
