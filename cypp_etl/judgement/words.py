"""Converts numbers back to words: rows are judged as arrays of booleans, which become text at the very end."""

from collections.abc import Sequence
from enum import StrEnum

import numpy as np

from cypp_etl.judgement.entries import Text, period_of
from cypp_etl.judgement.rounding import Bools, Ints


def choose(cases: Sequence[tuple[Bools, StrEnum]], otherwise: StrEnum) -> Text:
    """For each row the word of the first case that is true; cases of shape (n,) give text of shape (n,)."""
    words = np.array([*(word.value for _, word in cases), otherwise.value], dtype=object)
    places = [np.int8(place) for place in range(len(cases))]
    text: Text = words[np.select([case for case, _ in cases], places, np.int8(len(cases)))]
    return text


def period_codes(slots: Ints) -> Text:
    """The code of each slot's period, such as `2009-10Q1`; text of shape (n,)."""
    distinct, places = np.unique(slots, return_inverse=True)
    text: Text = np.array([period_of(slot).code for slot in distinct.tolist()], dtype=object)[places]
    return text
