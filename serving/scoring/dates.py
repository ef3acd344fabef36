"""Dates as sources write them: ISO 8601, that of mail and RSS, or seconds since 1970."""

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

_SECONDS = re.compile(r"\d{9,10}(\.\d+)?")


def moment(date: str | None) -> datetime | None:
    """Return the moment that a date names, in UTC, or None if that cannot be told.

    What names no zone is taken as UTC.
    """
    if date is None:
        return None
    date = date.strip()
    try:
        found = (
            datetime.fromtimestamp(float(date), UTC)
            if _SECONDS.fullmatch(date)
            else datetime.fromisoformat(date)
        )
    except (ValueError, OverflowError):
        try:
            found = parsedate_to_datetime(date)
        except (ValueError, TypeError, IndexError, OverflowError):
            return None
    try:
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
    except OverflowError:
        return None
