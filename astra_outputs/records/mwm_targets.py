"""Which cartons make a source one of the Milky Way Mapper's, in the files that the survey publishes.

As Astra chooses them for mwmTargets, mwmAllStar and mwmAllVisit: the mapper's own cartons, and cartons of others whose
targets are stars.
"""

from __future__ import annotations

from astra_outputs.records.targeting_cartons import Carton, cartons_in, cartons_named


def _names(begin: str, ends: str) -> tuple[str, ...]:
    return tuple(f"{begin}{end}" for end in ends.split())


OF_OTHERS = (
    *_names("bhm_csc_", "apogee boss boss-bright boss-dark boss_bright boss_dark"),
    *_names("manual_bright_target", "_offsets_1 _offsets_1_g13 _offsets_3 s_g13"),
    *_names("manual_bright_targets_g13_offset_fixed_", "1 3 5 7"),
    *_names("manual_fps_position_stars", "_10 _apogee_10"),
    "manual_fps_position_stars",
    *_names("manual_offset_mwmhalo_off", "00 05 10 20 30 a b"),
    *_names(
        "openfibertargets_nov2020_", "3 5 6a 6b 6c 8 9 10 12 14 15 17 19a 19b 19c 22 24 25 28a 28b 28c 29"
    ),
    *_names("openfibertargets_nov2020_", "31 32 34a 34b 35a 35b 35c 46 47a 47b 47c 47d 47e 1000 1001a 1001b"),
    *_names("ops_", "apogee_stds std_apogee std_boss std_boss-red std_boss_red std_eboss"),
    *_names("ops_std_boss_", "gdr2 lsdr8 ps1dr2 tic"),
)
"""Names of the cartons of other mappers, and of none."""


def mwm_cartons() -> list[Carton]:
    """Return all cartons whose targets are the Milky Way Mapper's in published files."""
    return [*cartons_in("mapper", "mwm"), *(carton for name in OF_OTHERS for carton in cartons_named(name))]
