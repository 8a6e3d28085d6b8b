"""Ingests a chunk of a backfill: archives, reads and checks its workbooks together, and records them together.

Prefect is not imported here: this runs in the backfill's worker processes, which start faster and smaller without it.
"""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING

from cypp_etl.checked_return import CheckedReturn
from cypp_etl.checking.checker import Checker, Opened, Received
from cypp_etl.checking.confined import shared_checker, unopened
from cypp_etl.gc_control import collection_paused
from cypp_etl.periods import Period
from flows.bulk.chunks import Chunk, ChunkResult, WorkbookResult
from flows.bulk.sources import Source
from flows.bulk.time_limit import OutOfTimeError, time_limit
from flows.ingestion.context import Workplace, read
from flows.storage.archive import Kept, delivery_of, keep_together
from flows.storage.drop_notes import Drop, GivenNumbers, note_of_drops
from flows.storage.files import path_as_text
from warehouse.engine import reading, writing
from warehouse.queries.history import last_submission, partners_since, read_history
from warehouse.queries.views import outcomes
from warehouse.recording.outstanding import Share, judge_share
from warehouse.recording.record import Arrival, known_deliveries, record_batch

if TYPE_CHECKING:
    from sqlalchemy import Connection


# Time limits for checking a chunk, plus an amount per workbook of fifty rows: many times what is needed.
_CHECK_SECONDS, _EACH_SECONDS, _ORDINARY_ROWS = 3.0, 0.1, 50
_OPEN_SECONDS = 30.0


@dataclass(slots=True)
class _Workbook:
    """A workbook while its chunk is ingested."""

    source: Source
    kept: Kept
    partner_codes: frozenset[str]
    opened: Opened | None
    checked: CheckedReturn | None = None


@dataclass(frozen=True)
class ChunkTaker:
    """Ingests chunks; `checker` needs no history.

    With `own_only` it skips the workbooks that concern other partners than the one in whose folder they are.
    """

    workplace: Workplace
    checker: Checker
    received_at: datetime
    own_only: bool = False

    def take(self, chunk: Chunk, turn: AbstractContextManager[None]) -> ChunkResult:
        """Ingest one chunk: archive, read and check at any time, then record in `turn`, after all chunks before it.

        Every workbook is checked against what those before it left in the warehouse, as if they came one by one. If
        chunks before this one have recorded something since, the few workbooks that it affects are checked again in
        the turn.

        Raises:
            OSError: the archive cannot be written.
            sqlalchemy.exc.SQLAlchemyError: the database refused or is unreachable; nothing of the chunk was recorded.
        """
        result = ChunkResult()
        # Cells and rows are never in a reference cycle, and live until they are checked.
        with collection_paused():
            self._take(chunk, turn, result)
        return result

    def judge(self, share: Share, turn: AbstractContextManager[None]) -> None:
        """Make a share of the judgements that the chunks have left: judge at any time, and record in `turn`.

        Raises:
            warehouse.recording.plan.AnotherPlanInForceError: the plan was changed meanwhile.
            sqlalchemy.exc.SQLAlchemyError: the database refused or is unreachable; nothing of the share was recorded.
        """
        with collection_paused():
            judge_share(self.workplace.engine, self.workplace.plan, share, lambda: datetime.now(UTC), turn)

    def _take(self, chunk: Chunk, turn: AbstractContextManager[None], result: ChunkResult) -> None:
        rounds = in_rounds(self._to_take(self._open(self._unknown(chunk.sources, result)), result))
        with reading(self.workplace.engine) as connection:
            last_seen = last_submission(connection)
            early = [each for each in rounds[0] if chunk.awaited.isdisjoint(each.partner_codes)] if rounds else []
            self._check(connection, early)
        with turn, writing(self.workplace.engine) as connection:
            self._check_again(early, partners_since(connection, last_seen))
            for workbooks in rounds:
                self._check(connection, [each for each in workbooks if each.checked is None])
                result.done += self._record(connection, workbooks)

    def _unknown(self, sources: Sequence[Source], result: ChunkResult) -> list[Source]:
        """The workbooks that remain to be ingested; what an earlier run recorded is not even archived again."""
        deliveries: dict[Source, str] = {}
        for source in sources:
            try:
                deliveries[source] = delivery_of(Path(source.path))
            except OSError as fault:
                result.failed.append((path_as_text(Path(source.path)), str(fault.strerror or fault)))
        with reading(self.workplace.engine) as connection:
            known = known_deliveries(connection, list(deliveries.values()))
            then = outcomes(connection, {one.submission_id for one in known.values()})
        for source, delivery in deliveries.items():
            if delivery in known:
                number = known[delivery].submission_id
                was = then[number]
                findings = tuple(was.findings)
                result.done.append(
                    WorkbookResult(
                        number,
                        path_as_text(Path(source.path)),
                        was.partner_code,
                        was.period,
                        was.status,
                        findings,
                        True,
                    )
                )
        return [source for source, delivery in deliveries.items() if delivery not in known]

    def _open(self, sources: Sequence[Source]) -> Iterator[_Workbook]:
        archive = self.workplace.settings.archive
        all_kept = keep_together(
            [Path(source.path) for source in sources],
            archive,
            beside=lambda all_kept: note_of_drops(archive, list(map(self._drop, sources, all_kept))),
        )
        for source, kept in zip(sources, all_kept, strict=True):
            opened = self._opened(source, kept)
            yield _Workbook(source, kept, opened.partner_codes, opened)

    def _drop(self, source: Source, kept: Kept) -> Drop:
        file = path_as_text(Path(source.path))
        return Drop(
            kept.delivery, kept.sha256, kept.size, file, source.folder_partner, self.received_at, is_answered=False
        )

    def _to_take(self, workbooks: Iterator[_Workbook], result: ChunkResult) -> Iterator[_Workbook]:
        for each in workbooks:
            if self.own_only and not each.partner_codes <= {each.source.folder_partner}:
                result.left.append(each.source.path)
            else:
                yield each

    def _opened(self, source: Source, kept: Kept) -> Opened:
        received = Received(path_as_text(Path(source.path)), read(kept), source.folder_partner, kept.size)
        try:
            with time_limit(_OPEN_SECONDS):
                return self.checker.open(received)
        except (OutOfTimeError, MemoryError):
            return unopened(received)

    def _check(self, connection: "Connection", workbooks: Sequence[_Workbook]) -> None:
        if not workbooks:
            return
        opened = [each.opened or self._opened(each.source, each.kept) for each in workbooks]
        checker = self.checker.beside(read_history(connection, *_past_of(opened)))
        try:
            with time_limit(_CHECK_SECONDS + self._each_seconds * len(opened)):
                all_checked = checker.check_opened(opened)
        except (OutOfTimeError, MemoryError):
            # One of them takes too long: each is checked alone, in a process that can be killed.
            all_checked = [self._check_confined(connection, each) for each in workbooks]
        for each, checked in zip(workbooks, all_checked, strict=True):
            # The cells are no longer needed: what waits for its turn should be small.
            each.checked, each.opened = checked, None

    @cached_property
    def _each_seconds(self) -> float:
        """For each workbook: with hundreds of rows it takes so many times longer.

        Of 448 rows, a hundred took longer than the limit on a busy machine, and were checked again one by one.
        """
        rows = max(map(len, self.workplace.plan.owed_by.values()), default=0)
        return _EACH_SECONDS * max(1.0, rows / _ORDINARY_ROWS)

    def _check_confined(self, connection: "Connection", workbook: _Workbook) -> CheckedReturn:
        source = workbook.source
        received = Received(source.path, read(workbook.kept), source.folder_partner, workbook.kept.size)
        past = partial(read_history, connection)
        return shared_checker().check(self.workplace.plan, received, self.received_at.date(), past)

    def _check_again(self, workbooks: Sequence[_Workbook], partner_codes: set[str | None]) -> None:
        """Check again the workbooks of partners for whom something was recorded meanwhile."""
        for each in workbooks:
            if not each.partner_codes.isdisjoint(partner_codes):
                each.checked = None

    def _record(self, connection: "Connection", workbooks: Sequence[_Workbook]) -> Iterator[WorkbookResult]:
        together = [(each.checked, each.kept.delivery) for each in workbooks if each.checked is not None]
        arrivals = [Arrival(checked, self.received_at, delivery) for checked, delivery in together]
        numbers = GivenNumbers(self.workplace.settings.archive)
        recorded = record_batch(connection, arrivals, self.workplace.plan, datetime.now(UTC), numbers, judge_later=True)
        for (checked, _), one in zip(together, recorded, strict=True):
            period = checked.period.code if checked.period else ""
            yield WorkbookResult(
                one.submission_id,
                checked.file,
                checked.partner_code,
                period,
                one.status,
                checked.findings,
                one.was_known,
            )


def _past_of(opened: Sequence[Opened]) -> tuple[set[str], set[Period] | None]:
    """The partners, and the periods, that workbooks look back on; None for any period."""
    partner_codes = {code for each in opened for code in each.partner_codes}
    periods = [each.periods for each in opened if each.periods is not None]
    return partner_codes, set().union(*periods) if len(periods) == len(opened) else None


def in_rounds(workbooks: Iterator[_Workbook]) -> list[list[_Workbook]]:
    """Split workbooks into rounds: each can look back on the one before, and no two in one concern the same partner.

    Partners' workbooks stay in their order. A published table concerns every partner, so it is alone in its round.
    """
    rounds: list[list[_Workbook]] = []
    next_of: dict[str, int] = {}
    for each in workbooks:
        codes = each.partner_codes
        place = max((next_of.get(code, 0) for code in codes), default=0)
        next_of.update(dict.fromkeys(codes, place + 1))
        if place == len(rounds):
            rounds.append([])
        rounds[place].append(each)
    return rounds
