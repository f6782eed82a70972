"""Standard Webhooks signatures: how messages are signed, and how a receiver checks them.

`verify` and what it calls need nothing but Python's own library, so that a receiver can take them over as they are.
"""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import hashlib
import hmac
import secrets as random_source
import time
from collections.abc import Mapping, Sequence

from standardwebhooks import Webhook

#: Seconds that a message's time may differ from the receiver's clock.
TOLERANCE = 300
_PREFIX = "whsec_"
_SECRET_BYTES = 32
#: Signatures looked at in one header; more than anyone's rotation needs.
_MOST = 10


class SignatureError(ValueError):
    """A message that is forged, changed on its way, too old, or sent again by somebody else; the message says which."""


def new_secret() -> str:
    """Return a new signing secret: `whsec_` and 32 random bytes in base64."""
    return _PREFIX + base64.b64encode(random_source.token_bytes(_SECRET_BYTES)).decode()


def sign(message_id: str, at: dt.datetime, body: bytes, secrets: Sequence[str]) -> dict[str, str]:
    """Return the headers that prove who sent `body`, with one signature for each secret.

    Args:
        message_id: the same however often the message is sent.
        at: time of this attempt, with zone.
        body: the request's body, byte for byte.
        secrets: all that receivers may still have, newest first.
    """
    moment = at.astimezone(dt.UTC)  # the library drops other zones
    text = body.decode()
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(int(moment.timestamp())),
        "webhook-signature": " ".join(Webhook(secret).sign(message_id, moment, text) for secret in secrets),
        "Idempotency-Key": message_id,
    }


def verify(
    body: bytes, headers: Mapping[str, str], secrets: Sequence[str], *, now: float | None = None, tolerance: float = TOLERANCE
) -> str:
    """Check a message as its receiver; return its id, by which the receiver knows whether it had it before.

    Args:
        body: as received, before anything is parsed.
        headers: of the request, in any case.
        secrets: those that may sign; two while a secret is being replaced.
        now: seconds since 1970; the clock's by default.
        tolerance: seconds that clocks and the way may take.

    Raises:
        SignatureError: if the message must not be believed.
    """
    given = {name.lower(): value for name, value in headers.items()}
    message_id, sent, signatures = (given.get(f"webhook-{name}", "") for name in ("id", "timestamp", "signature"))
    if not (message_id and sent and signatures):
        msg = "webhook-id, webhook-timestamp and webhook-signature are needed"
        raise SignatureError(msg)
    if not (sent.isascii() and sent.isdigit() and len(sent) <= 12):
        msg = "webhook-timestamp is no time"
        raise SignatureError(msg)
    late = (time.time() if now is None else now) - int(sent)
    if abs(late) > tolerance:
        msg = f"webhook-timestamp is {abs(late):.0f} s {'old' if late > 0 else 'ahead'}: sent again by somebody, or a clock is wrong"
        raise SignatureError(msg)
    signed = f"{message_id}.{sent}.".encode() + body
    expected = [hmac.new(_key(secret), signed, hashlib.sha256).digest() for secret in secrets]
    offered = [_decoded(part) for part in signatures.split(" ")[:_MOST]]
    # Every pair is compared, in constant time: how long it takes must not tell how near a guess was.
    if not sum(hmac.compare_digest(one, other) for one in expected for other in offered):
        msg = "no signature fits a secret"
        raise SignatureError(msg)
    key = given.get("idempotency-key")
    if key is not None and key != message_id:
        msg = "Idempotency-Key is not the id that was signed"
        raise SignatureError(msg)
    return message_id


def _key(secret: str) -> bytes:
    try:
        key = base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    except binascii.Error:
        key = b""
    if len(key) < 16:
        msg = "a signing secret is whsec_ and base64 of 16 bytes or more"
        raise ValueError(msg)
    return key


def _decoded(part: str) -> bytes:
    version, _, text = part.partition(",")
    if version != "v1":
        return b""
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return b""
