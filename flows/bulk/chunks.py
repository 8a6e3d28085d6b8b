"""A chunk of a backfill, about a hundred workbooks that are ingested together, and its outcome.

Parent and workers exchange both. `flows.bulk.chunk_worker` ingests a chunk; only workers import it, because of the
memory that it needs.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from cypp_etl.findings import Finding
from flows.bulk.sources import Source
from schemas.codes import SubmissionStatus

CHUNK_WORKBOOKS = 100
"""How many workbooks make a chunk: with fewer, the schemas cost more; with more, they take more memory.

With more, a chunk is also more likely to share a partner with an unfinished one, and to wait to be checked in its turn.
"""


@dataclass(frozen=True, slots=True)
class Chunk:
    """The workbooks that are ingested together.

    `number` counts from 0. `awaited` are the partners for whom an unfinished chunk may record something: checking their
    workbooks before that would be wasted.
    """

    number: int
    sources: tuple[Source, ...]
    awaited: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class WorkbookResult:
    """The outcome of one workbook, in this run or, if it `was_known`, in the run that recorded it."""

    submission_id: int
    file: str
    partner_code: str
    period: str
    status: SubmissionStatus
    findings: tuple[Finding, ...]
    was_known: bool = False


@dataclass(slots=True)
class ChunkResult:
    """The outcome of a chunk: its workbooks in the order of recording, and those that could not be read, and why.

    `left` are those that were skipped, because they concern other partners than the one in whose folder they are.
    """

    done: list[WorkbookResult] = field(default_factory=list)
    failed: list[tuple[str, str]] = field(default_factory=list)
    left: list[str] = field(default_factory=list)


def into_chunks(sources: Sequence[Source], size: int, under_way: int) -> Iterator[Chunk]:
    """Split sources into chunks of a size; up to `under_way` of them are processed at once."""
    partners = [frozenset(one.folder_partner for one in sources[at : at + size]) for at in range(0, len(sources), size)]
    for number in range(len(partners)):
        own, before = partners[number], partners[max(0, number - under_way) : number]
        taken = tuple(sources[number * size : (number + 1) * size])
        yield Chunk(number, taken, own.intersection(frozenset().union(*before)) - {""})
