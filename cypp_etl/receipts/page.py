"""The receipt as a page, for a file that cannot be opened or marked: a single file that needs no network."""

from collections.abc import Iterable, Sequence
from html import escape

from cypp_etl.findings import Finding
from cypp_etl.layout import read_layouts
from cypp_etl.receipts import wording
from cypp_etl.receipts.ooxml.styles import MARKS
from cypp_etl.receipts.receipt_styles import status_colour
from cypp_etl.receipts.summary import ReceiptSummary
from cypp_etl.receipts.wording import Cause, plain

_STYLE = """
body{font:1rem/1.5 Arial,sans-serif;color:#1a1a1a;background:#fff;max-width:72rem;margin:2rem auto;padding:0 1rem}
h1{font-size:1.8rem}h2{font-size:1.3rem;margin-top:2rem}
.verdict{color:#fff;padding:.6rem 1rem;font-size:1.2rem;font-weight:bold}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.2rem 1.5rem}
dt{font-weight:bold}dd{margin:0;overflow-wrap:anywhere}
table{border-collapse:collapse;width:100%;table-layout:fixed;margin-top:1.5rem}
th:nth-child(1){width:14%}th:nth-child(2){width:5rem}th:nth-child(3){width:18%}
caption{text-align:left;font-weight:bold;padding:.4rem 0}
th,td{border:1px solid #bfbfbf;padding:.4rem .6rem;text-align:left;vertical-align:top;overflow-wrap:anywhere}
thead th{background:#1f3864;color:#fff}td,dd{white-space:pre-line}
@media print{body{margin:0;max-width:none}tr{break-inside:avoid}}
"""


def reply_page(summary: ReceiptSummary, findings: Sequence[Finding]) -> str:
    """The receipt as HTML: the same facts, findings and changes as on the first sheet of a marked workbook."""
    banner, *advice = wording.verdict(summary, findings)
    colour = status_colour(summary.status)[2:]
    facts = "".join(f"<dt>{_safe(label)}</dt><dd>{_safe(text)}</dd>" for label, text in wording.proof(summary))
    body = [
        f"<h1>{wording.title(summary)}</h1>",
        f'<p class="verdict" style="background:#{colour}">{_safe(banner)}</p>',
        *(f"<p>{_safe(sentence)}</p>" for sentence in advice),
        f"<dl>{facts}</dl>",
        *_list(wording.STILL_DUE, summary.still_due),
        f"<h2>{_safe(wording.counts(findings) or wording.NOTHING_FOUND)}</h2>",
        *(_table(cause) for cause in wording.causes_of(findings)),
        *_list(wording.CHANGED_CELLS, wording.changed_cells(summary)),
        *_list(wording.CHANGED_JUDGEMENTS, wording.changed_judgements(summary)),
        *_list(wording.LOADED, wording.loaded(summary)),
    ]
    policy = "default-src 'none'; style-src 'unsafe-inline'"
    return (
        '<!DOCTYPE html>\n<html lang="en-GB"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{_safe(f'{wording.title(summary)}: {summary.file_name}')}</title><style>{_STYLE}</style></head>"
        f"<body><main>\n{chr(10).join(body)}\n</main></body></html>\n"
    )


def _table(cause: Cause) -> str:
    headings = (column.heading for column in read_layouts()["receipt"].part("receipt").columns)
    head = "".join(f'<th scope="col">{_safe(heading)}</th>' for heading in headings)
    rows = "".join(_row(finding) for finding in cause.findings)
    return (
        f"<table><caption>{_safe(cause.heading)}</caption><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
    )


def _row(finding: Finding) -> str:
    mark = MARKS[finding.severity]
    kind = f'<td style="background:#{mark.fill[2:]}"><strong>{finding.severity.value}</strong></td>'
    texts = "".join(f"<td>{_safe(text)}</td>" for text in (finding.value, finding.message, finding.fix))
    return f"<tr><td>{_safe(wording.place(finding))}</td>{kind}{texts}</tr>"


def _list(heading: str, texts: Iterable[str]) -> list[str]:
    items = "".join(f"<li>{_safe(text)}</li>" for text in texts)
    return [f"<h2>{_safe(heading)}</h2>", f"<ul>{items}</ul>"] if items else []


def _safe(text: str) -> str:
    return escape(plain(text))
