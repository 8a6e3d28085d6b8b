"""The cost and the outcome of hostile, damaged and random workbooks."""
