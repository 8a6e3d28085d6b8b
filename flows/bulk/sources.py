"""The workbooks of a backfill: their partners, their order, and their division into parts."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from heapq import heappop, heappush
from pathlib import Path

from flows.inbox.partner_folder import is_form_path
from flows.storage.files import WORKBOOK_SUFFIXES


@dataclass(frozen=True, slots=True)
class Source:
    """A workbook to ingest: its path, and the partner in whose folder it is, or an empty text outside such a folder."""

    path: str
    folder_partner: str


@dataclass(frozen=True, slots=True)
class Part:
    """Some partners, by their codes in order, and how many workbooks are in their folders together."""

    partners: list[str]
    workbooks: int


def workbooks_at(path: Path) -> Iterator[Path]:
    """A file itself, or the workbooks in a folder and its subfolders, by path, without lock files and hidden files.

    Raises:
        FileNotFoundError: the path does not exist.
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
    """The workbooks at some paths, each once, in the order of a backfill.

    A partner's workbooks come in the order of their paths, which decides which corrects which. Among partners it is
    the first workbook of each, then the second, and so on, so that neighbours belong to different partners
    and can be checked and recorded together. Those outside any partner's folder come in the order of their paths.

    Raises:
        FileNotFoundError: a path does not exist.
    """
    found: dict[Path, str] = {}
    for path in paths:
        owner = lru_cache(maxsize=None)(partial(_owner, path=path.absolute(), partner_codes=partner_codes))
        owned = ((file, owner(file.parent)) for file in map(Path.absolute, workbooks_at(path)))
        # A form that was put into a partner's folder is no return.
        found |= {file: code for file, code in owned if not (code and is_form_path(file))}
    taken: Counter[str] = Counter()
    placed: list[tuple[int, Source]] = []
    for file, partner_code in sorted(found.items()):
        placed.append((taken[partner_code], Source(str(file), partner_code)))
        taken[partner_code] += 1
    return [source for _, source in sorted(placed, key=lambda each: each[0])]


def into_parts(sources: Iterable[Source], count: int) -> list[Part]:
    """Divide the partners with folders into at most `count` parts of about the same number of workbooks.

    Parts can be ingested in parallel, because no two share a partner. Workbooks outside partners' folders are in none.
    """
    workbooks = Counter(source.folder_partner for source in sources if source.folder_partner)
    parts: list[list[str]] = [[] for _ in range(min(count, len(workbooks)))]
    sizes = [(0, number) for number in range(len(parts))]
    if not sizes:
        return []
    # The largest first, each to the smallest part so far: parts differ by at most one partner's workbooks.
    for code, size in sorted(workbooks.items(), key=lambda each: (-each[1], each[0])):
        so_far, number = heappop(sizes)
        parts[number].append(code)
        heappush(sizes, (so_far + size, number))
    return [Part(sorted(codes), sum(workbooks[code] for code in codes)) for codes in parts]


def _owner(folder: Path, path: Path, partner_codes: Collection[str]) -> str:
    """The partner after whom the nearest folder is named, between the file and the path that was given."""
    folders = [each.name for each in (folder, *folder.parents) if each.is_relative_to(path)]
    return next((name for name in folders if name in partner_codes), "")
