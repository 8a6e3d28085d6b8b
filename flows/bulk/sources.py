"""Which workbooks lie in folders, whose they are, in which order a backfill takes them, and how it parts them."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from heapq import heappop, heappush
from pathlib import Path

from flows.storage.files import WORKBOOK_SUFFIXES


@dataclass(frozen=True, slots=True)
class Source:
    """A workbook to take: its path, and the partner in whose folder it lies, empty where only the workbook can tell."""

    path: str
    folder_partner: str


def workbooks_at(path: Path) -> Iterator[Path]:
    """A file itself, or the workbooks in a folder and the folders below, by their paths; locks and hidden files not.

    Raises:
        FileNotFoundError: the path leads nowhere.
    """
    if not path.exists():
        raise FileNotFoundError(f"there is no file or folder {path}")
    if not path.is_dir():
        yield path
        return
    for file in sorted(path.rglob("*")):
        if file.suffix.casefold() in WORKBOOK_SUFFIXES and not file.name.startswith((".", "~$")) and file.is_file():
            yield file


def sources_in(paths: Sequence[Path], partner_codes: Collection[str]) -> list[Source]:
    """The workbooks at some paths, each once, in the order in which a backfill takes them.

    A partner's come in the order of their paths: which is a correction of which depends on it. Between partners it is
    the first workbook of each, then the second, and so on, so that those that stand together are different partners'
    and can be checked and recorded together. Those in nobody's folder come in the order of their paths.

    Raises:
        FileNotFoundError: a path leads nowhere.
    """
    found: dict[Path, str] = {}
    for path in paths:
        owner = lru_cache(maxsize=None)(partial(_owner, path=path.absolute(), partner_codes=partner_codes))
        found |= {file: owner(file.parent) for file in map(Path.absolute, workbooks_at(path))}
    taken: Counter[str] = Counter()
    placed: list[tuple[int, Source]] = []
    for file, partner_code in sorted(found.items()):
        placed.append((taken[partner_code], Source(str(file), partner_code)))
        taken[partner_code] += 1
    return [source for _, source in sorted(placed, key=lambda each: each[0])]


def into_parts(sources: Iterable[Source], count: int) -> list[list[str]]:
    """Partners in so many parts, or fewer, that hold about as many workbooks; each partner with a folder is in one.

    Parts can be taken side by side, as no two hold workbooks of one partner. What lies in nobody's folder is in none.
    """
    workbooks = Counter(source.folder_partner for source in sources if source.folder_partner)
    parts: list[list[str]] = [[] for _ in range(min(count, len(workbooks)))]
    sizes = [(0, number) for number in range(len(parts))]
    # The largest first, each to where there is least so far: parts differ by one partner's workbooks at the most.
    for code, size in sorted(workbooks.items(), key=lambda each: (-each[1], each[0])):
        so_far, number = heappop(sizes)
        parts[number].append(code)
        heappush(sizes, (so_far + size, number))
    return [sorted(part) for part in parts]


def _owner(folder: Path, path: Path, partner_codes: Collection[str]) -> str:
    """The partner whose name the nearest folder bears, of those between a file's and the path that was given."""
    folders = [each.name for each in (folder, *folder.parents) if each.is_relative_to(path)]
    return next((name for name in folders if name in partner_codes), "")
