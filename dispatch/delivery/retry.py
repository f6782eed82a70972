"""When a message is tried again."""

from __future__ import annotations

import datetime as dt
import random
from email.utils import parsedate_to_datetime

from dispatch.delivery.subscribers import Settings

#: A receiver that asks for more patience than this is asked again after it.
MOST_RETRY_AFTER = 3_600.0
#: Jitter needs no secrecy.
_RANDOM = random.Random()  # noqa: S311


def delay(attempts: int, settings: Settings, rng: random.Random = _RANDOM) -> float:
    """Return the seconds to wait after so many attempts in vain: between nothing and a limit that doubles each time.

    Full jitter: messages that failed together are not tried again together.
    """
    return rng.uniform(0.0, min(settings.cap_seconds, settings.base_seconds * 2.0 ** min(attempts - 1, 40)))


def is_over(attempts: int, written: dt.datetime, now: dt.datetime, settings: Settings, *, refused: bool) -> bool:
    """Return whether a message that failed again is a dead letter.

    Args:
        attempts: with this one.
        written: when the message was written.
        now: UTC without zone, like `written`.
        settings: of the subscriber.
        refused: the receiver understood and said no (4xx): more attempts will hardly help.
    """
    if attempts >= (settings.refused_attempts if refused else settings.max_attempts):
        return True
    old = now - written > dt.timedelta(hours=settings.max_age_hours)
    return old and attempts >= settings.refused_attempts  # one that waited for a paused subscriber has its chance


def retry_after(text: str | None, now: dt.datetime) -> float | None:
    """Return the seconds that a Retry-After header asks for, bounded; None where it says nothing usable.

    Args:
        text: the header: seconds or an HTTP date.
        now: with zone.
    """
    if not text:
        return None
    text = text.strip()
    if text.isascii() and text.isdigit():
        return min(float(text[:9]), MOST_RETRY_AFTER)
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError):
        return None
    if moment.tzinfo is None:
        return None
    return min(max((moment - now).total_seconds(), 0.0), MOST_RETRY_AFTER)
