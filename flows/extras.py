"""What a command needs beyond the base, which is what `cypp check` needs; pyproject.toml says what an extra brings."""

import re
from collections.abc import Collection, Iterator
from importlib import metadata

_DISTRIBUTION = "cypp-etl"
_FOR_POSTGRES = "postgres"
_REQUIRED = re.compile(r"""(?P<distribution>[\w.-]+)[^;]*;.*\bextra *== *["'](?P<extra>[\w.-]+)["']""")

NEEDED: dict[str, tuple[str, ...]] = {
    "check": (),
    "template": ("warehouse",),
    "issue": ("warehouse",),
    "status": ("warehouse",),
    "remind": ("warehouse",),
    "queries": ("warehouse",),
    "explain": ("warehouse",),
    "clinics": ("warehouse",),
    "note": ("warehouse",),
    "plan check": ("warehouse",),
    "plan compare": ("warehouse",),
    "plan adopt": ("warehouse",),
    "plan export": ("warehouse",),
    "plan history": ("warehouse",),
    "close": ("warehouse",),
    "reopen": ("warehouse",),
    "waive": ("warehouse",),
    "waivers": ("warehouse",),
    "end-waiver": ("warehouse",),
    "withdraw": ("warehouse",),
    "erase": ("warehouse",),
    "decisions": ("warehouse",),
    "answer": ("warehouse",),
    "accept": ("warehouse",),
    "refuse": ("warehouse",),
    "release": ("warehouse",),
    "prune": ("warehouse",),
    "upgrade": ("warehouse",),
    "reconcile": ("warehouse",),
    "backup": ("warehouse",),
    "restore": ("warehouse",),
    "ingest": ("server",),
    "backfill": ("server",),
    "serve": ("server",),
    "health": ("server",),
    "report": ("report",),
    "publish": ("report", "server"),
    "demo": ("report", "server"),
    "export": ("export",),
}
"""The extras that each command needs."""


def advice(command: str, warehouse_url: str) -> str:
    """What to install for a command that could not run as things are; empty where nothing is missing."""
    needed = set(NEEDED[command])
    # The demo has a warehouse of its own.
    if needed and command != "demo" and warehouse_url.startswith("postgres"):
        needed.add(_FOR_POSTGRES)
    missing = missing_extras(needed)
    if not missing:
        return ""
    named = " and ".join(f'"{extra}"' for extra in missing)
    noun = "extra" if len(missing) == 1 else "extras"
    return f'cypp {command} needs the {noun} {named}: pip install "{_DISTRIBUTION}[{",".join(missing)}]"'


def missing_extras(extras: Collection[str]) -> list[str]:
    """Those of the extras of which something is not installed, as the metadata of what is installed tell."""
    brought = [(extra, distribution) for extra, distribution in _brought() if extra in extras]
    return sorted({extra for extra, distribution in brought if not _is_installed(distribution)})


def _brought() -> Iterator[tuple[str, str]]:
    """Each extra with each distribution that it brings; of sources that were never installed nothing is known."""
    try:
        requirements = metadata.requires(_DISTRIBUTION) or ()
    except metadata.PackageNotFoundError:
        return
    for requirement in requirements:
        if found := _REQUIRED.match(requirement):
            yield found["extra"], found["distribution"]


def _is_installed(distribution: str) -> bool:
    try:
        metadata.distribution(distribution)
    except metadata.PackageNotFoundError:
        return False
    return True
