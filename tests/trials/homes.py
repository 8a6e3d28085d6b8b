"""Homes for the trials: the same drops in each, and what must come out of them, whatever happens on the way."""

import hashlib
import os
import shutil
from collections import Counter
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from sqlalchemy import select

from cypp_etl.periods import parse_period
from cypp_etl.plan_reader import read_plan
from cypp_etl.samples import IndicatorAnswer, fill_template, sample_answers, sample_return
from cypp_etl.templates import write_template
from flows.inbox import REPLIES
from warehouse.engine import open_warehouse, reading
from warehouse.tables import metadata, submission

PERIOD = parse_period("2010-11Q1")
# What two runs of the same need not have in common.
_OWN = {"recorded_at", "superseded_at", "received_at", "delivery", "file", "closed_at"}

_GIVE_UP_SECONDS = 180

processes = get_context("forkserver")
processes.set_forkserver_preload(["tests.trials.sweeping"])


@dataclass(frozen=True)
class Home:
    """One installation with drops in its inbox."""

    folder: Path
    warehouse_url: str

    @property
    def environment(self) -> dict[str, str]:
        return {"CYPP_HOME": str(self.folder), "CYPP_WAREHOUSE_URL": self.warehouse_url}

    def run(self, target: Any, *arguments: Any) -> int:
        """Run a sweep in a process of its own; its exit status, -9 if it was killed."""
        process = processes.Process(target=target, args=(self.environment, *arguments))
        process.start()
        process.join(_GIVE_UP_SECONDS)
        if process.exitcode is None:
            process.kill()
            raise TimeoutError(f"a process of the trial in {self.folder} never began")
        return process.exitcode

    def bytes_there(self) -> set[str]:
        """The SHA-256 of whatever lies in inbox and archive."""
        files = [path for place in ("inbox", "archive") for path in (self.folder / place).rglob("*") if path.is_file()]
        return {hashlib.sha256(path.read_bytes()).hexdigest() for path in files}

    def waiting(self) -> list[str]:
        return [path.name for path in self._in_inbox() if path.parent.name != REPLIES]

    def replies(self) -> list[str]:
        """The names of the receipts, less what a killed process left of one."""
        return sorted(path.name for path in self._in_inbox() if path.parent.name == REPLIES and path.name[0] != ".")

    def _in_inbox(self) -> list[Path]:
        return [path for path in (self.folder / "inbox").rglob("*") if path.is_file()]


def make_drops() -> dict[str, bytes]:
    """A good return, a faulty correction of it, the good one again under another name, and another partner's."""
    plan = read_plan()
    good = sample_return(plan, "yos", PERIOD)
    answers = sample_answers(plan, "yos", PERIOD)
    first = next(iter(answers.indicators))
    answers.indicators[first] = IndicatorAnswer("<1")  # type: ignore[index]
    faulty = fill_template(write_template(plan, "yos", PERIOD), answers)
    return {
        "police/ours.xlsx": sample_return(plan, "police", PERIOD),
        "yos/1 good.xlsx": good,
        "yos/2 faulty.xlsx": faulty,
        "yos/3 good again.xlsx": good,
        "yos/4 no workbook.xlsx": b"%PDF-1.7",
    }


def drop(drops: dict[str, bytes], home: Home) -> Home:
    """Drop files, each a second after the one before."""
    for second, (name, content) in enumerate(drops.items()):
        path = home.folder / "inbox" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        os.utime(path, (1_280_000_000 + second,) * 2)
    return home


def sqlite_home(folder: Path, template: Path | None = None) -> Home:
    folder.mkdir(parents=True)
    if template:
        shutil.copy(template, folder / "warehouse.db")
    return Home(folder, f"sqlite:///{folder / 'warehouse.db'}")


def contents(warehouse_url: str) -> dict[str, Counter[tuple[Any, ...]]]:
    """Every row of every table, less what two runs need not have in common; rows are told by what they belong to."""
    engine = open_warehouse(warehouse_url)
    with reading(engine) as connection:
        name = {
            row.submission_id: (row.partner_code, row.period, row.version, row.sha256, row.status)
            for row in connection.execute(select(submission))
        }
        found = {}
        for table in metadata.sorted_tables:
            own = {column.name for column in table.primary_key if column.name.endswith("_id")}
            refers = {column.name for column in table.columns if column.references(submission.c.submission_id)}
            found[table.name] = Counter(
                tuple(
                    name.get(row[key]) if key in refers else row[key]
                    for key in table.c.keys()  # noqa: SIM118
                    if key not in _OWN | own | {"observation_id", "plan_id"}
                )
                + (("in force", row["superseded_at"] is None) if "superseded_at" in row else ())
                for row in connection.execute(select(table)).mappings()
            )
    engine.dispose()
    return found
