"""The forms of other bodies: for each the rows of its layout, and what stands in a workbook that is right."""

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
