"""The forms of other bodies: for each the rows of its layout, and what stands in a workbook that is right."""

from collections.abc import Iterable, Sequence
from datetime import date

# Quarters side by side: the quarter on the cover says which column is the return's.
QUARTERS_SHEETS = [
    {"layout": "quarters", "part": "cover", "sheet": "*", "kind": "anywhere"},
    {"layout": "quarters", "part": "indicators", "sheet": "*", "kind": "table"},
]
_COVER = {"layout": "quarters", "part": "cover", "is_required": "yes"}
_TABLE = {"layout": "quarters", "part": "indicators"}
QUARTERS_COLUMNS = [
    {**_COVER, "column": "partner", "heading": "{partner}: performance return {year}"},
    {**_COVER, "column": "quarter", "heading": "Return for quarter: {quarter}"},
    {**_TABLE, "column": "indicator", "heading": "Indicator", "is_required": "yes"},
    {**_TABLE, "column": "good_performance", "heading": "Good perf. is"},
    {**_TABLE, "column": "target", "heading": "Annual target"},
    {**_TABLE, "column": "actual", "heading": "Q{quarter}", "spellings": "Quarter {quarter}", "is_required": "yes"},
    {**_TABLE, "column": "comment", "heading": "Commentary"},
    {**_TABLE, "column": "left_out", "heading": "RAG", "spellings": "Owner"},
]
QUARTERS_FORM = {
    **{"A1": "Youth Offending Service: performance return 2010/11", "A2": "Return for quarter: 2"},
    **{"A4": "Indicator", "B4": "Good perf. is", "C4": "Annual target"},
    **{"D4": "Q1", "E4": "Q2", "F4": "Q3", "G4": "Q4", "H4": "Commentary"},
    **{"A5": "NI 43 Custodial sentences (%)", "B5": "Low", "C5": "5.0%", "D5": "6.5%", "E5": "6.1%"},
    **{"A6": "NI 45 Engagement in ETE (%)", "B6": "High", "C6": "78.0%", "D6": "70.2%", "E6": "71.9%"},
    **{"A7": "NI 46 Suitable accommodation (%)", "B7": "High", "E7": "97.0%"},
    **{"A8": "NI 19 Re-offending", "B8": "Low", "E8": 0.3},
    "H6": "Two new posts",
}

# Two years under a two-row heading: last year's figures beside this year's, on a sheet with its cover above.
YEARS_SHEETS = [
    {"layout": "years", "part": "cover", "sheet": "Measures", "kind": "labels"},
    {"layout": "years", "part": "indicators", "sheet": "Measures", "kind": "table", "header_rows": "2"},
]
_COVER = {"layout": "years", "part": "cover", "is_required": "yes"}
_TABLE = {"layout": "years", "part": "indicators", "is_required": "yes"}
YEARS_COLUMNS = [
    {**_COVER, "column": "partner_code", "heading": "Service"},
    {**_COVER, "column": "period", "heading": "Period"},
    {**_TABLE, "column": "ref", "heading": "Ref"},
    {**_TABLE, "column": "definition", "heading": "Measure"},
    {**_TABLE, "column": "actual", "heading": "Q{quarter}", "group": "{year}"},
]
YEARS_FORM = {
    **{"A1": "Service", "B1": "yos", "A2": "Period", "B2": "2010/11 Q1"},
    **{"C4": "2009/10", "G4": "2010/11", "A5": "Ref", "B5": "Measure"},
    **dict(zip("CDEFGHIJ", ("Q1", "Q2", "Q3", "Q4") * 2, strict=True)),
}
YEARS_FORM = {f"{at}5" if len(at) == 1 else at: text for at, text in YEARS_FORM.items()} | {
    **{"A6": "NI 19", "B6": "Rate of proven re-offending by young offenders", "C6": 0.6, "F6": 0.3, "G6": 0.3},
    **{"A7": "NI 43", "C7": "6.0%", "F7": "6.3%", "G7": "6.1%"},
    **{"A8": "NI 45", "F8": "74.0%", "G8": "71.9%"},
    **{"A9": "NI 46", "G9": "97.0%"},
}
YEARS_MERGED = ["C4:F4", "G4:J4"]

# A sheet for each outcome, with a front sheet: aspirations as rows, and references in some rows only.
OUTCOMES_SHEETS = [
    {"layout": "outcomes", "part": "cover", "sheet": "Front", "kind": "labels"},
    {"layout": "outcomes", "part": "indicators", "sheet": "{outcome}", "kind": "banded"},
]
_COVER = {"layout": "outcomes", "part": "cover", "is_required": "yes"}
_TABLE = {"layout": "outcomes", "part": "indicators"}
OUTCOMES_COLUMNS = [
    {**_COVER, "column": "partner", "heading": "Organisation"},
    {**_COVER, "column": "period", "heading": "Quarter"},
    {**_TABLE, "column": "ref", "heading": "No"},
    {**_TABLE, "column": "definition", "heading": "What we measure", "is_required": "yes"},
    {**_TABLE, "column": "actual", "heading": "Result", "is_required": "yes"},
    {**_TABLE, "column": "marker", "heading": "If none, why"},
]
# The built-in plan has indicators of one outcome.
OUTCOMES_CHANGES = {
    "indicators.csv": [
        ("NI 114,50,NI 114,,PC", "NI 114,50,NI 114,,EA"),
        ("NI 115,51,NI 115,,PC", "NI 115,51,NI 115,,SS"),
    ],
    "owed_by.csv": [
        ("cyps,NI 114", "cyps,NI 111a\ncyps,NI 111b\ncyps,NI 114"),
    ],
}
_HEADINGS = {"A4": "No", "B4": "What we measure", "C4": "Result", "D4": "If none, why"}
OUTCOMES_FORM = {
    "Front": {"A1": "Organisation", "B1": "Children and Young People's Services", "A2": "Quarter", "B2": "2010/11 Q1"},
    "PC": {
        "A1": "Making a positive contribution",
        **_HEADINGS,
        "A5": "PC4: Fewer children and young people enter the youth justice system and vulnerable groups including "
        "Looked After Children and BME young people are not over-represented.",
        "A6": "NI 111",
        "B6": "First time entrants to the Youth Justice System aged 10 – 17",
        **{"A7": "a", "B7": "Number", "C7": 60, "A8": "b", "B8": "Per 100,000 10-17 Population", "C8": 230},
    },
    "EA": {**_HEADINGS, "B6": "Rate of permanent exclusions from school", "C6": "0.01%"},
    "SS": {**_HEADINGS, "A6": "NI 115", "B6": "Substance misuse by young people", "D6": "N/A"},
}
OUTCOMES_MERGED = {"PC": ["A5:D5"]}

# One page without a table: labels anywhere, figures to their right, and the quarter by its last day. One partner's own.
LABELS_SHEETS = [
    {"layout": "one page", "part": "cover", "sheet": "*", "kind": "anywhere", "partner_code": "police"},
    {"layout": "one page", "part": "indicators", "sheet": "*", "kind": "anywhere", "partner_code": "police"},
]
_COVER = {"layout": "one page", "part": "cover"}
_TABLE = {"layout": "one page", "part": "indicators", "is_required": "yes"}
LABELS_COLUMNS = [
    {**_COVER, "column": "period_end", "heading": "Period ending", "is_required": "yes"},
    {**_COVER, "column": "prepared_by", "heading": "Officer"},
    {**_COVER, "column": "email", "heading": "E-mail"},
    {**_TABLE, "column": "NI 111a", "heading": "First time entrants (number)"},
    {**_TABLE, "column": "NI 111b", "heading": "rate per 100,000"},
]
LABELS_FORM = {
    **{"B2": "Youth crime: quarterly figures", "B4": "Period ending:", "D4": date(2010, 6, 30)},
    **{"B7": "First time entrants (number)", "E7": 60, "B8": "rate per 100,000", "E8": 230},
    **{"B12": "Thank you for sending this by the 20th.", "H4": "Officer:", "I4": "Returns officer"},
}

# A flat file of many partners: each row says whose it is and of which period.
FLAT_SHEETS = [{"layout": "flat", "part": "indicators", "sheet": "*", "kind": "table"}]
_TABLE = {"layout": "flat", "part": "indicators", "is_required": "yes"}
FLAT_COLUMNS = [
    {**_TABLE, "column": "partner_code", "heading": "Authority code"},
    {**_TABLE, "column": "left_out", "heading": "Authority", "is_required": "no"},
    {**_TABLE, "column": "ref", "heading": "Measure code"},
    {**_TABLE, "column": "period", "heading": "Period"},
    {**_TABLE, "column": "actual", "heading": "Value"},
    {**_TABLE, "column": "marker", "heading": "Marker"},
    {**_TABLE, "column": "numerator", "heading": "Numerator", "is_required": "no"},
    {**_TABLE, "column": "denominator", "heading": "Denominator", "is_required": "no"},
]
FLAT_HEADINGS = ("Authority code", "Authority", "Measure code", "Period", "Value", "Marker", "Numerator", "Denominator")
FLAT_ROWS = [
    ("yos", "Youth Offending Service", "NI 19", "2010-11Q1", 0.3, None, None, None),
    ("police", "South Yorkshire Police", "NI 111a", "2010-11Q1", 60, None, None, None),
    ("yos", "Youth Offending Service", "NI 43", "2010-11Q1", "6.1%", None, None, None),
    ("yos", "Youth Offending Service", "NI 45", "2010-11Q1", "71.9%", None, None, None),
    ("yos", "Youth Offending Service", "NI 46", "2010-11Q1", "97.0%", None, None, None),
    ("police", "South Yorkshire Police", "NI 111b", "2010-11Q1", 230, None, None, None),
    ("vcs", "Voluntary and community sector", "NI 110", "2009-10Q4", "71.9%", None, None, None),
    ("vcs", "Voluntary and community sector", "NI 110", "2010-11Q1", None, "N/A", None, None),
]


def flat_form(rows: Iterable[Sequence[object]] = FLAT_ROWS) -> dict[str, object]:
    """The cells of a flat sheet."""
    lines = enumerate((FLAT_HEADINGS, *rows), start=1)
    return {f"{letter}{line}": value for line, row in lines for letter, value in zip("ABCDEFGH", row, strict=True)}
