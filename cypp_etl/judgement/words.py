"""Converts numbers back to words: rows are judged as arrays of booleans, which become text at the very end."""

from collections.abc import Sequence
from enum import StrEnum
from typing import TypeAlias

import numpy as np
import pandas as pd
from pandas.api.extensions import ExtensionArray

from cypp_etl.judgement.entries import period_of
from cypp_etl.judgement.leaves import TEXT
from cypp_etl.judgement.rounding import Bools, Ints

Text: TypeAlias = ExtensionArray


class DirectionBasis(StrEnum):
    """What the direction of travel compares with."""

    SAME_QUARTER = "same quarter last year"
    LAST_YEAR = "last year"
    OUTTURN = "last year's outturn"
    NONE = "none"


def choose(cases: Sequence[tuple[Bools, StrEnum]], otherwise: StrEnum) -> Text:
    """For each row the word of the first case that is true; cases of shape (n,) give text of shape (n,)."""
    words = pd.array([*(word.value for _, word in cases), otherwise.value], dtype=TEXT)
    places = [np.int8(place) for place in range(len(cases))]
    return words.take(np.select([case for case, _ in cases], places, np.int8(len(cases))))


def period_codes(slots: Ints) -> Text:
    """The code of each slot's period, such as `2009-10Q1`; text of shape (n,)."""
    places, distinct = pd.factorize(slots)
    return pd.array([period_of(slot).code for slot in distinct.tolist()], dtype=TEXT).take(places)


class Course(StrEnum):
    """Whether a year is on course to meet its target."""

    ON = "on course"
    AT_RISK = "at risk"
    OFF = "off course"
