"""Homes for the trials: the same drops in each, and the results that they must have, whatever happens."""

import hashlib
import os
import shutil
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any
from uuid import uuid4

from sqlalchemy import select

from cypp_etl.periods import parse_period
from cypp_etl.plan.reader import read_plan
from cypp_etl.samples.returns import IndicatorAnswer, fill_template, sample_answers, sample_periods
from cypp_etl.templates.workbook import write_template
from flows.inbox.sweep import REPLIES
from tests.postgres import administer, copy_database, database_url, drop_database
from tests.support.samples import sample_of
from tests.trials.nursery import Nursery
from warehouse.engine import open_warehouse, reading
from warehouse.schema.tables import clinic, comparison, group_judgement, judgement, metadata, submission

PERIOD = parse_period("2010-11Q1")
JUDGED_TABLES = (judgement, comparison, group_judgement, clinic)
# Columns that may differ between two equal runs.
_OWN = {"recorded_at", "superseded_at", "received_at", "delivery", "file", "decided_at"}


@dataclass(frozen=True)
class Home:
    """One installation with drops in its inbox."""

    folder: Path
    warehouse_url: str

    @property
    def environment(self) -> dict[str, str]:
        return {"CYPP_HOME": str(self.folder), "CYPP_WAREHOUSE_URL": self.warehouse_url}

    def bytes_there(self) -> set[str]:
        """The SHA-256 of every file in inbox and archive."""
        files = [path for place in ("inbox", "archive") for path in (self.folder / place).rglob("*") if path.is_file()]
        return {hashlib.sha256(path.read_bytes()).hexdigest() for path in files}

    def waiting(self) -> list[str]:
        return [path.name for path in self._in_inbox() if path.parent.name != REPLIES]

    def replies(self) -> list[str]:
        """The names of the receipts, without unfinished ones of a killed process."""
        return sorted(path.name for path in self._in_inbox() if path.parent.name == REPLIES and path.name[0] != ".")

    def numbers(self) -> list[int]:
        """The submissions' numbers."""
        engine = open_warehouse(self.warehouse_url)
        with reading(engine) as connection:
            found = sorted(connection.scalars(select(submission.c.submission_id)))
        engine.dispose()
        return found

    def statuses(self) -> set[str]:
        engine = open_warehouse(self.warehouse_url)
        with reading(engine) as connection:
            found = set(connection.scalars(select(submission.c.status)))
        engine.dispose()
        return found

    def _in_inbox(self) -> list[Path]:
        return [path for path in (self.folder / "inbox").rglob("*") if path.is_file()]


@cache
def make_drops() -> dict[str, bytes]:
    """A good return, a correction with errors, the good one again under another name, and another partner's."""
    plan = read_plan()
    good = sample_of("yos", PERIOD)
    answers = sample_answers(plan, "yos", PERIOD)
    first = next(iter(answers.indicators))
    answers.indicators[first] = IndicatorAnswer("<1")  # type: ignore[index]
    faulty = fill_template(write_template(plan, "yos", PERIOD), answers)
    return {
        "police/ours.xlsx": sample_of("police", PERIOD),
        "yos/1 good.xlsx": good,
        "yos/2 faulty.xlsx": faulty,
        "yos/3 good again.xlsx": good,
        "yos/4 no workbook.xlsx": b"%PDF-1.7",
    }


def make_many_drops() -> dict[str, bytes]:
    """A year's returns of every partner; some once more from the same partner, some from another's folder."""
    plan = read_plan()
    returns = {
        f"{code}/{period.code}.xlsx": sample_of(code, period)
        for period in sample_periods()[:4]
        for code in plan.partners
    }
    again = {f"{path.removesuffix('.xlsx')} again.xlsx": returns[path] for path in list(returns)[::5]}
    strayed = {f"lscb/from {path.replace('/', ' ')}": returns[path] for path in list(returns)[1::5]}
    return returns | again | strayed


class Site:
    """Makes homes, on SQLite or on a PostgreSQL server, whose warehouse is up to date and has its plan."""

    def __init__(self, folder: Path, nursery: Nursery, server: str | None) -> None:
        self._folder = folder
        self._server = server
        self._numbers = count()
        # pytest creates a site again when it returns to a database system.
        self._prefix = f"trial_{uuid4().hex[:8]}"
        self._template = self._empty_home("template")
        if server:
            administer(server, f"CREATE DATABASE {self._prefix}_template")
        assert nursery.run("sweep_once", self._template.environment) == 0

    @contextmanager
    def home(self, drops: dict[str, bytes]) -> Iterator[Home]:
        """A home with drops in its inbox, each a second newer than the one before; it is removed afterwards."""
        name = str(next(self._numbers))
        home = self._empty_home(name)
        for second, (path, content) in enumerate(drops.items()):
            drop(home.folder / "inbox" / path, content, 1_280_000_000 + second)
        if self._server:
            copy_database(self._server, f"{self._prefix}_template", f"{self._prefix}_{name}")
        else:
            shutil.copy(self._template.folder / "warehouse.db", home.folder)
        yield home
        shutil.rmtree(home.folder)
        if self._server:
            drop_database(self._server, f"{self._prefix}_{name}")

    def lose_warehouse(self, home: Home) -> None:
        """Restore the warehouse as it was before the first drop; archive and inbox stay as they are."""
        if self._server:
            name = home.warehouse_url.rpartition("/")[2].partition("?")[0]
            drop_database(self._server, name)
            copy_database(self._server, f"{self._prefix}_template", name)
        else:
            for path in home.folder.glob("warehouse.db*"):
                path.unlink()
            shutil.copy(self._template.folder / "warehouse.db", home.folder)

    def _empty_home(self, name: str) -> Home:
        folder = self._folder / name
        folder.mkdir()
        on_server = self._server and database_url(self._server, f"{self._prefix}_{name}")
        return Home(folder, on_server or f"sqlite:///{folder / 'warehouse.db'}")


@dataclass(frozen=True)
class Outcome:
    """The state when everything has been ingested: the warehouse's rows, and the names of the receipts."""

    rows: dict[str, Counter[tuple[Any, ...]]]
    replies: list[str]


def outcome_of(home: Home, drops: dict[str, bytes]) -> Outcome:
    """The outcome of the drops: each is recorded once, none is in the inbox, and no byte is lost."""
    outcome = Outcome(contents(home.warehouse_url), home.replies())
    assert home.waiting() == []
    assert outcome.rows["submission"].total() == len(drops)
    assert hashes(drops) <= home.bytes_there()
    return outcome


def assert_same(home: Home, drops: dict[str, bytes], expected: Outcome) -> None:
    outcome = outcome_of(home, drops)
    assert outcome.replies == expected.replies
    assert outcome.rows == expected.rows


def hashes(drops: dict[str, bytes]) -> set[str]:
    return {hashlib.sha256(content).hexdigest() for content in drops.values()}


def drop(path: Path, content: bytes, at: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    os.utime(path, (at, at))


def contents(warehouse_url: str, *, judged_then: bool = True) -> dict[str, Counter[tuple[Any, ...]]]:
    """Every row of every table, without what may differ between runs; rows are identified by what they belong to.

    Without `judged_then`, it is of judgements what is in force, as for a backfill, which judges at its end.
    """
    engine = open_warehouse(warehouse_url)
    with reading(engine) as connection:
        name = {
            row.submission_id: (row.partner_code, row.period, row.version, row.sha256, row.status)
            for row in connection.execute(select(submission))
        }
        found = {}
        for table in metadata.sorted_tables:
            own = {column.name for column in table.primary_key if column.name.endswith(("_id", "_number"))}
            refers = {column.name for column in table.columns if column.references(submission.c.submission_id)}
            found[table.name] = Counter(
                tuple(
                    name.get(row[key]) if key in refers else row[key]
                    for key in table.c.keys()  # noqa: SIM118
                    if key not in _OWN | own | {"observation_id", "plan_id", "decision_id"}
                )
                + (("in force", row["superseded_at"] is None) if "superseded_at" in row else ())
                for row in connection.execute(select(table)).mappings()
                if judged_then or table not in JUDGED_TABLES or row["superseded_at"] is None
            )
    engine.dispose()
    return found
