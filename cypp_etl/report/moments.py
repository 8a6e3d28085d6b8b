"""Moments as people read them. They are in UTC, as the warehouse has them, and say so."""

from datetime import date, datetime, time

from cypp_etl.phrases import date_text


def moment_words(moment: datetime) -> str:
    """A moment, such as `09:30 UTC on 1 March 2011`, or the end of a day."""
    if moment.time() == time.max:
        return f"the end of {date_text(moment)} (UTC)"
    return f"{moment:%H:%M} UTC on {date_text(moment)}"


def end_of(day: date, now: datetime) -> datetime:
    """The last moment of a day, or the present one while the day lasts.

    Raises:
        ValueError: the day has not begun, so that nothing can be known of it.
    """
    if day > now.date():
        raise ValueError(f"{day} is in the future: choose today or an earlier day")
    return min(datetime.combine(day, time.max, now.tzinfo), now)
