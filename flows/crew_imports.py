"""What the workers of a backfill import: once, by the process that they are forked from, and shared."""

from cypp_etl.workbook.collecting import imported_for_good

with imported_for_good():
    import cypp_etl.judgement.judge  # noqa: F401
    import flows.chunk_taking
    import flows.crew  # noqa: F401
