"""How workbooks were read, as `cypp check --explain-layout` prints it: a table of cells, or JSON."""

from collections.abc import Sequence
from dataclasses import dataclass

from cypp_etl.checked_return import CellRead, CheckedReturn, TriedLayout
from cypp_etl.personal import shown_path
from cypp_etl.phrases import shorten
from flows.cli.terminal import say, say_json

_HEADINGS = ("Cell", "Typed", "Became", "Indicator", "Period", "Value")


@dataclass(frozen=True, slots=True)
class ExplainedFile:
    """How one file was read, as `--json` writes it."""

    file: str
    layout: str
    tried: tuple[TriedLayout, ...]
    cells: tuple[CellRead, ...]


def show_layouts(checked: Sequence[CheckedReturn], as_json: bool) -> None:
    """Print how each workbook was read, one object per line or one table per file."""
    for one in checked:
        explanation = one.explanation
        layout = explanation.layout if explanation else ""
        tried = explanation.tried if explanation else ()
        cells = explanation.cells if explanation else ()
        if as_json:
            say_json(ExplainedFile(one.file, layout, tried, cells))
            continue
        say(f"{shown_path(one.file)}: {f'layout {layout}' if layout else 'no layout was recognised'}")
        for other in tried:
            if other.layout != layout or other.missing:
                say(f"  {_in_words(other)}")
        if not explanation:
            # What cannot be opened has a finding of its own.
            for finding in one.findings:
                say(f"  {finding.message}")
        _show_cells(cells)


def _in_words(tried: TriedLayout) -> str:
    if not tried.missing:
        return f"{tried.layout} would fit too"
    asked = tried.found + len(tried.missing)
    return f"{tried.layout} asks for {asked} headings or labels, and these are missing: {'; '.join(tried.missing)}"


def _show_cells(cells: Sequence[CellRead]) -> None:
    rows = [
        (f"{one.sheet}!{one.cell}", shorten(one.typed), one.became, one.indicator, one.period, one.value)
        for one in cells
    ]
    if rows:
        widths = [max(len(row[place]) for row in (_HEADINGS, *rows)) for place in range(len(_HEADINGS))]
        for row in (_HEADINGS, *rows):
            say("  " + "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip())
