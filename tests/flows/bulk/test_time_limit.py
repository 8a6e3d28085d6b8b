"""The time limit within a process: what takes too long is interrupted, wherever it is."""

import time

import pandas as pd
import pandera.pandas as pa
import pytest

from flows.bulk.time_limit import OutOfTimeError, time_limit


def test_what_takes_too_long_is_interrupted() -> None:
    with pytest.raises(OutOfTimeError), time_limit(0.05):
        time.sleep(30)


def test_what_is_in_time_is_not() -> None:
    with time_limit(0.05):
        pass
    time.sleep(0.1)


def test_the_check_of_a_schema_is_interrupted_too() -> None:
    seconds = 0.0

    def check(_: "pd.Series[float]") -> bool:
        time.sleep(seconds)
        return True

    schema = pa.DataFrameSchema({"value": pa.Column("float64", pa.Check(check, error="out-of-range"))})
    frame = pd.DataFrame({"value": [1.0]})
    # What pandera does once takes longer than the limit.
    schema.validate(frame, lazy=True)
    seconds = 30
    with pytest.raises(OutOfTimeError), time_limit(0.5):
        schema.validate(frame, lazy=True)
