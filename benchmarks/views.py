"""How long the views take as BI tools ask them: one period, one partner, one indicator, the quarter of the Board.

`python benchmarks/views.py` fills a warehouse with a million observations and asks each view, filtered, for all its
columns; beside it the same question is asked without the index or the stored table that answers it. `--postgresql`
does so on PostgreSQL too, `--smoke` with a few hundred observations.
"""
