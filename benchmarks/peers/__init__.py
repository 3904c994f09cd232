"""What is compared: one small class each, all with the same three methods."""

from __future__ import annotations

from importlib import import_module

from benchmarks.peers.base import Peer, Setting

MODULES = {
    "peewee": "benchmarks.peers.with_peewee:WithPeewee",
    "peewee_models": "benchmarks.peers.with_peewee:BuildingModels",
    "sqlalchemy_core": "benchmarks.peers.with_sqlalchemy:Core",
    "sqlalchemy_orm": "benchmarks.peers.with_sqlalchemy:Orm",
    "django": "benchmarks.peers.with_django:BulkCreate",
    "tortoise": "benchmarks.peers.with_tortoise:BulkCreate",
    "psycopg_executemany": "benchmarks.peers.with_psycopg:Executemany",
    "psycopg_copy": "benchmarks.peers.with_psycopg:CopyAndMerge",
    "asyncpg_executemany": "benchmarks.peers.with_asyncpg:Executemany",
    "asyncpg_fetchmany": "benchmarks.peers.with_asyncpg:Fetchmany",
    "asyncpg_unnest": "benchmarks.peers.with_asyncpg:Unnest",
    "asyncpg_copy": "benchmarks.peers.with_asyncpg:CopyAndMerge",
    "encoded_copy": "benchmarks.peers.limits:EncodedCopy",
    "server_alone": "benchmarks.peers.limits:ServerAlone",
    "save_many": "benchmarks.peers.ours:SaveMany",
    "save_many_parallel": "benchmarks.peers.ours:SaveManyParallel",
    "from_spectrum_save_many": "benchmarks.peers.ours:FromSpectrum",
    "from_spectrum_parallel": "benchmarks.peers.ours:FromSpectrumParallel",
    "save_table": "benchmarks.peers.ours:SaveTable",
    "save_table_parallel": "benchmarks.peers.ours:SaveTableParallel",
}
"""Where each peer is; modules are imported one by one, so that a missing package stops only its own."""

CONNECTIONS = {
    f"{way}_{number}": f"benchmarks.peers.ours:{peer}On{number}"
    for way, peer in (("save_many", "SaveMany"), ("save_table", "SaveTable"))
    for number in (1, 2, 4)
}
"""This project on so many connections."""

BY_HAND = ("asyncpg_copy", "psycopg_copy")
"""The fastest that can be written by hand, with either driver; the better of the two is what goals are about."""

OURS = tuple(name for name, place in MODULES.items() if place.startswith("benchmarks.peers.ours:"))
"""This project."""

CONTENDERS = (*BY_HAND, "encoded_copy", "server_alone", *OURS, *CONNECTIONS)
"""Those that are told apart by percents, not by factors: they take every turn."""

REFERENCE = "asyncpg_copy"
"""What ratios are taken against: the fastest that can be written by hand."""


def load(name: str, setting: Setting) -> Peer:
    """Return a peer, or raise ImportError if its package is not installed."""
    module, _, attribute = (MODULES | CONNECTIONS)[name].partition(":")
    peer: Peer = getattr(import_module(module), attribute)(setting)
    return peer


__all__ = ["BY_HAND", "CONNECTIONS", "CONTENDERS", "MODULES", "OURS", "REFERENCE", "Peer", "Setting", "load"]
