"""Addresses that a subscriber may have: a web address without credentials, or a folder that can be written to."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import urlsplit

WEBHOOK, FOLDER = "webhook", "folder"
_LOOPBACK = {"localhost", "127.0.0.1", "::1"}


class SubscriberError(ValueError):
    """A subscriber that cannot be; the message says which field and why. Nothing was changed."""


def checked_address(address: str) -> tuple[str, str]:
    """Return kind and address.

    Raises:
        SubscriberError: if it is neither a web address without credentials nor a folder that can be written to.
    """
    if "://" not in address:
        folder = Path(address).expanduser().absolute()
        if not folder.is_dir() or not os.access(folder, os.W_OK | os.X_OK):
            msg = f"address: {folder} is not a folder that can be written to"
            raise SubscriberError(msg)
        return FOLDER, str(folder)
    try:
        parts = urlsplit(address)
        bad = not parts.hostname or parts.port == 0
    except ValueError:
        msg = "address: not a web address"
        raise SubscriberError(msg) from None
    # Whatever is wrong, the address is not repeated: it may hold a password.
    if parts.scheme not in ("http", "https") or bad or not address.isprintable() or " " in address or len(address) > 2_000:
        msg = "address: http://HOST… or https://HOST…, or the path of a folder"
        raise SubscriberError(msg)
    if parts.username is not None or parts.password is not None or "@" in parts.netloc:
        msg = "address: no name and password in it; messages are signed instead"
        raise SubscriberError(msg)
    if parts.fragment:
        msg = "address: what follows # is never sent; leave it out"
        raise SubscriberError(msg)
    return WEBHOOK, address


def is_plain(address: str) -> bool:
    """Return whether messages to a web address could be read on their way."""
    parts = urlsplit(address)
    return parts.scheme == "http" and parts.hostname not in _LOOPBACK


def shown_address(address: str) -> str:
    """Return an address without its query, which may hold a token."""
    return address.partition("?")[0]
