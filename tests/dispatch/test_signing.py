"""Signatures: what is good is accepted, what is forged, changed, old or sent again by somebody else is not."""

from __future__ import annotations

import base64
import datetime as dt
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook

from dispatch.delivery.signing import TOLERANCE, SignatureError, new_secret, sign, verify

SECRET, OTHER = new_secret(), new_secret()
NOW = dt.datetime(2026, 11, 26, 8, 0, tzinfo=dt.UTC)
BODY = '{"说":"你好"}'.encode()


def signed(body: bytes = BODY, secrets: tuple[str, ...] = (SECRET,), at: dt.datetime = NOW) -> dict[str, str]:
    return sign("m-1", at, body, secrets)


def check(body: bytes = BODY, headers: dict[str, str] | None = None, secrets: tuple[str, ...] = (SECRET,), after: float = 0.0) -> str:
    return verify(body, headers or signed(), secrets, now=NOW.timestamp() + after)


@given(st.binary(max_size=200).filter(lambda raw: raw.decode("utf-8", "ignore").encode() == raw), st.integers(-TOLERANCE, TOLERANCE))
def test_what_was_signed_is_accepted(body: bytes, after: int) -> None:
    assert verify(body, sign("m-9", NOW, body, [SECRET]), [SECRET], now=NOW.timestamp() + after) == "m-9"


def test_any_zone_gives_the_same_signature() -> None:
    """The library signs an aware +08:00 time eight hours off; we must not."""
    assert signed(at=NOW.astimezone(dt.timezone(dt.timedelta(hours=8)))) == signed()


def test_the_librarys_own_check_agrees() -> None:
    now = dt.datetime.now(dt.UTC)
    assert Webhook(SECRET).verify(BODY, sign("m", now, BODY, [OTHER, SECRET])) == json.loads(BODY)


def test_header_names_in_any_case() -> None:
    assert check(headers={name.upper(): value for name, value in signed().items()}) == "m-1"


def test_secrets_while_one_is_replaced() -> None:
    both = signed(secrets=(OTHER, SECRET))
    assert check(headers=both, secrets=(SECRET,)) == check(headers=both, secrets=(OTHER,)) == "m-1"
    assert check(secrets=(OTHER, SECRET)) == "m-1"  # a receiver that has both


@pytest.mark.parametrize("after", [TOLERANCE + 1, 86_400, -TOLERANCE - 1])
def test_replayed_later_or_by_a_wrong_clock(after: float) -> None:
    with pytest.raises(SignatureError, match="sent again|clock"):
        check(after=after)


def forged(**change: str | None) -> dict[str, str]:
    headers = signed() | {name.replace("_", "-"): value for name, value in change.items() if value is not None}
    return {name: value for name, value in headers.items() if change.get(name.replace("-", "_"), "") is not None}


@pytest.mark.parametrize(
    "headers",
    [
        forged(webhook_id="m-2", Idempotency_Key="m-2"),
        forged(webhook_timestamp=str(int(NOW.timestamp()) + 60)),
        forged(webhook_timestamp="soon"),
        forged(webhook_timestamp="-1"),
        forged(webhook_timestamp="٣"),
        forged(webhook_timestamp="9" * 400),
        forged(webhook_timestamp="1e9"),
        forged(webhook_timestamp=None),
        forged(webhook_id=None),
        forged(webhook_signature=None),
        forged(webhook_signature=""),
        forged(webhook_signature="v1,"),
        forged(webhook_signature="v1"),
        forged(webhook_signature="v1,***"),
        forged(webhook_signature="v1,你好"),
        forged(webhook_signature="v1a," + signed()["webhook-signature"][3:]),
        forged(webhook_signature="v1," + base64.b64encode(bytes(32)).decode()),
        forged(webhook_signature=" ".join(["v1,AAAA"] * 5_000) + " " + signed()["webhook-signature"]),
        forged(Idempotency_Key="m-2"),
        {},
    ],
)
def test_forged_headers(headers: dict[str, str]) -> None:
    with pytest.raises(SignatureError):
        verify(BODY, headers, [SECRET], now=NOW.timestamp())


def test_changed_body_and_foreign_secret() -> None:
    for body, secrets in ((BODY + b" ", (SECRET,)), (b"", (SECRET,)), (BODY, (OTHER,)), (BODY, ())):
        with pytest.raises(SignatureError):
            check(body, signed(), secrets)


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_AAAA", "whsec_***"])
def test_a_secret_that_is_none(secret: str) -> None:
    with pytest.raises(ValueError, match="signing secret"):
        check(secrets=(secret,))
