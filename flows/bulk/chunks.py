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
"""How many workbooks are taken together: with fewer the schemas cost more, with more they take more memory.

With more, too, a chunk is sooner one of partners of whom another is under way, and waits to be checked in its turn.
"""


@dataclass(frozen=True, slots=True)
class Chunk:
    """The workbooks that are taken together.

    `number` counts from 0. `awaited` are the partners of whom a chunk that is under way may bring news: to check their
    workbooks before that is recorded would be in vain.
    """

    number: int
    sources: tuple[Source, ...]
    awaited: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Done:
    """What became of one workbook, now or, where it `was_known`, in the run that recorded it as `submission_id`."""

    submission_id: int
    file: str
    partner_code: str
    period: str
    status: SubmissionStatus
    findings: tuple[Finding, ...]
    was_known: bool = False


@dataclass(slots=True)
class Taken:
    """What became of a chunk: its workbooks in the order of recording, and those that no disk gave, with the reason.

    `left` are those that were not to be taken, since they concern others than the partner in whose folder they lie.
    """

    done: list[Done] = field(default_factory=list)
    failed: list[tuple[str, str]] = field(default_factory=list)
    left: list[str] = field(default_factory=list)


def into_chunks(sources: Sequence[Source], size: int, under_way: int) -> Iterator[Chunk]:
    """Sources in chunks of a size, of which so many before one may be under way with it."""
    partners = [frozenset(one.folder_partner for one in sources[at : at + size]) for at in range(0, len(sources), size)]
    for number in range(len(partners)):
        own, before = partners[number], partners[max(0, number - under_way) : number]
        taken = tuple(sources[number * size : (number + 1) * size])
        yield Chunk(number, taken, own.intersection(frozenset().union(*before)) - {""})
