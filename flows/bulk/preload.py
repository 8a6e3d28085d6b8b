"""The imports of a backfill's workers: made once, by the process that they are forked from, and shared."""

from cypp_etl.gc_control import imported_for_good

with imported_for_good():
    import cypp_etl.judgement.judge  # noqa: F401
    import flows.bulk.chunk_worker
    import flows.bulk.process_pool  # noqa: F401
