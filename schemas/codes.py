"""The code lists: every closed set of words in a plan, a workbook or the warehouse."""

from enum import StrEnum


class Polarity(StrEnum):
    """What good performance is."""

    HIGH = "HIGH"
    LOW = "LOW"
    RANGE = "RANGE"
    NONE = "NONE"


class Unit(StrEnum):
    """The unit of a figure; a percentage is in percentage points (71.0, not 0.71), money in the plan's currency."""

    PERCENT = "percent"
    NUMBER = "number"
    RATE = "rate"
    MONEY = "money"
    DAYS = "days"
    SCORE = "score"


class Accumulation(StrEnum):
    """How an indicator's quarters make the year to date."""

    LATEST = "latest"
    SUM = "sum"
    CUMULATIVE = "cumulative"
    RATIO = "ratio"


class Measure(StrEnum):
    """What an observation measures."""

    ACTUAL = "actual"
    HISTORY = "history"
    TARGET = "target"
    STATISTICAL_NEIGHBOURS = "statistical_neighbours"
    NATIONAL = "national"


class ComparatorMethod(StrEnum):
    """How a comparator comes about: given, or computed from the figures of other bodies."""

    GIVEN = "given"
    MEAN = "mean"
    MEDIAN = "median"
    SUM = "sum"
    RATIO = "ratio"


class Marker(StrEnum):
    """Why an observation has no value."""

    NOT_APPLICABLE = "not applicable"
    NOT_AVAILABLE = "not available"
    SUPPRESSED = "suppressed"
    LOW = "low"
    TO_BE_CONFIRMED = "to be confirmed"
    NOT_RETURNED = "not returned"


class Qualifier(StrEnum):
    """What a reader must know about a value."""

    PROVISIONAL = "provisional"
    REVISED = "revised"
    ESTIMATED = "estimated"
    BREAK = "break in series"


class Severity(StrEnum):
    """What to do about a finding: correct it, explain it, or just know about it."""

    ERROR = "ERROR"
    QUERY = "QUERY"
    NOTE = "NOTE"


class ActionKind(StrEnum):
    """The origin of an action."""

    EXISTING = "existing plan or strategy"
    ADDITIONAL = "additional partnership action"


class MilestoneStatus(StrEnum):
    """The status of a milestone."""

    NOT_STARTED = "Not started"
    ON_TRACK = "On track"
    AT_RISK = "At risk"
    ACHIEVED = "Achieved"
    MISSED = "Missed"
    WITHDRAWN = "Withdrawn"


SETTLED_MILESTONES = frozenset({MilestoneStatus.ACHIEVED, MilestoneStatus.WITHDRAWN})
"""The statuses that are final: a milestone that has one is not asked about again."""


class Review(StrEnum):
    """The decision of an action's quarterly review."""

    CONTINUE = "Continue"
    REFOCUS = "Refocus"
    STOP = "Stop"


class Direction(StrEnum):
    """The direction of travel. Increasing and decreasing are for indicators without polarity."""

    IMPROVING = "improving"
    DECLINING = "declining"
    NO_CHANGE = "no change"
    INCREASING = "increasing"
    DECREASING = "decreasing"
    NO_DATA = "no data"
    NOT_APPLICABLE = "not applicable"


class DirectionBasis(StrEnum):
    """What the direction of travel compares with."""

    SAME_QUARTER = "same quarter last year"
    LAST_YEAR = "last year"
    OUTTURN = "last year's outturn"
    NONE = "none"


class OnTarget(StrEnum):
    """Whether the year to date meets its target."""

    YES = "yes"
    NO = "no"
    NO_DATA = "no data"
    NOT_APPLICABLE = "not applicable"


class Band(StrEnum):
    """The band of a figure against a target or a comparator."""

    BETTER = "better"
    WITHIN = "within"
    WORSE = "worse"
    NO_DATA = "no data"
    NOT_APPLICABLE = "not applicable"


class Variation(StrEnum):
    """Whether the change of a figure since last year is more than noise."""

    BEYOND = "beyond usual variation"
    WITHIN = "within usual variation"
    SMALL = "rests on small numbers"
    UNKNOWN = "not enough data"


class YearCourse(StrEnum):
    """Whether a year is on course to meet its target."""

    ON = "on course"
    AT_RISK = "at risk"
    OFF = "off course"
    NOT_KNOWN = "not known"


class SubmissionStatus(StrEnum):
    """The status of a submission."""

    ACCEPTED = "accepted"
    ACCEPTED_WITH_QUERIES = "accepted with queries"
    REJECTED = "rejected"
    DUPLICATE = "duplicate"
    HELD = "held"
    REFUSED = "refused"
    SUPERSEDED = "superseded"
    WITHDRAWN = "withdrawn"
    FAILED = "failed"


class YearType(StrEnum):
    """Which year a period is, or is part of."""

    FINANCIAL = "financial"
    ACADEMIC = "academic"
    CALENDAR = "calendar"


class Frequency(StrEnum):
    """How often an indicator is collected."""

    QUARTERLY = "quarterly"
    YEARLY = "yearly"


class ReportedYear(StrEnum):
    """Which year a yearly indicator's figure is of, seen from the return that asks for it."""

    THIS_YEAR = "this year"
    LAST_YEAR = "last year"


class DecisionKind(StrEnum):
    """What somebody decided, by the name of the command that does it."""

    ADOPT_PLAN = "adopt-plan"
    CLOSE_PERIOD = "close-period"
    REOPEN_PERIOD = "reopen-period"
    WAIVE_QUERY = "waive-query"
    END_WAIVER = "end-waiver"
    RELEASE_TEXT = "release-text"
    WITHDRAW_RETURN = "withdraw-return"
    ERASE_CONTENT = "erase-content"
    NOTE_AT_CLINIC = "note-at-clinic"
    ANSWER_QUERY = "answer-query"
    DECIDE_HELD = "decide-held"


class QueryStatus(StrEnum):
    """The status of a query to a partner."""

    OPEN = "open"
    EXPLAINED = "explained"
    ANSWERED = "answered"
    WAIVED = "waived"
    SUPERSEDED = "superseded"


class ReturnStatus(StrEnum):
    """The status of a return that is owed."""

    RECEIVED = "received"
    LATE = "late"
    MISSING = "missing"
    NOT_DUE = "not due"


class ClinicRule(StrEnum):
    """From which band against the target on a clinic opens, where the direction of travel is not positive."""

    BETTER = "better"
    WITHIN = "within"
    WORSE = "worse"
    NEVER = "never"


class ClinicReason(StrEnum):
    """Why a performance clinic was opened."""

    DECLINING = "declining"
    OFF_TARGET = "no change while off target"


class ClinicStatus(StrEnum):
    """The status of a performance clinic."""

    OPEN = "open"
    CLOSED = "closed"


class Diagnosis(StrEnum):
    """The diagnosis, from the milestones, of an indicator that does not improve."""

    LATE = "late"
    NOT_WORKING = "on time but not working"
    NOT_YET_DUE = "not yet due"
    NO_PLAN = "no plan"


class NoteKind(StrEnum):
    """The kind of a note of a performance clinic."""

    ISSUE = "issue"
    SOLUTION = "solution"
    DECISION = "decision"


class SheetKind(StrEnum):
    """The kind of a sheet.

    Labels in its first column with values in the second, labels anywhere with values to their right, a table, or a
    table with bands and parents as rows.
    """

    LABELS = "labels"
    ANYWHERE = "anywhere"
    TABLE = "table"
    BANDED = "banded"


NO_DATA_SYMBOL = "-"
NOT_APPLICABLE_SYMBOL = "N/A"

DIRECTION_SYMBOLS: dict[Direction, str] = {
    Direction.IMPROVING: "↑",
    Direction.DECLINING: "↓",
    Direction.NO_CHANGE: "→",
    Direction.INCREASING: "↑",
    Direction.DECREASING: "↓",
    Direction.NO_DATA: NO_DATA_SYMBOL,
    Direction.NOT_APPLICABLE: NOT_APPLICABLE_SYMBOL,
}
ON_TARGET_SYMBOLS: dict[OnTarget, str] = {
    OnTarget.YES: "✓",
    OnTarget.NO: "✗",
    OnTarget.NO_DATA: NO_DATA_SYMBOL,
    OnTarget.NOT_APPLICABLE: NOT_APPLICABLE_SYMBOL,
}
BAND_SYMBOLS: dict[Band, str] = {
    Band.BETTER: "★",
    Band.WITHIN: "●",
    Band.WORSE: "▲",
    Band.NO_DATA: NO_DATA_SYMBOL,
    Band.NOT_APPLICABLE: NOT_APPLICABLE_SYMBOL,
}

DEVICES_OF_WINDOWS = r"(?:con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])"
"""A pattern of the names that Windows keeps for itself, in small letters: no file or folder can be called so there."""
