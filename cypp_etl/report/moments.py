"""Days and moments as people read them. Moments are in UTC, as the warehouse has them, and say so."""

from datetime import date, datetime, time


def day_words(day: date) -> str:
    """A day, such as `1 March 2011`; of a moment its day."""
    return f"{day.day} {day:%B %Y}"


def moment_words(moment: datetime) -> str:
    """A moment, such as `09:30 UTC on 1 March 2011`, or the end of a day."""
    if moment.time() == time.max:
        return f"the end of {day_words(moment)} (UTC)"
    return f"{moment:%H:%M} UTC on {day_words(moment)}"


def end_of(day: date, now: datetime) -> datetime:
    """The last moment of a day, or the present one while the day lasts.

    Raises:
        ValueError: the day has not begun, so that nothing can be known of it.
    """
    if day > now.date():
        raise ValueError(f"{day} has not come yet: nothing is known as of a day to come")
    return min(datetime.combine(day, time.max, now.tzinfo), now)
