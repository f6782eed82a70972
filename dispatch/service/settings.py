"""What an operator may set of the service; each value has a default that is safe on one machine."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class ServiceSettings:
    """Limits and switches of the service.

    Attributes:
        tls: clients reach the service by https (here or at a proxy before it): cookies are marked secure, HSTS is sent.
        public_metrics: `/metrics` answers anyone; else this machine alone, and keys with the scope `metrics:read`.
        open311: answer `/open311/v2`; needs the scope `open311:read` unless `open311_public`.
        open311_public: the Open311 view answers without a key.
        open311_titles: requests carry the petition's masked title as description; else the issue type's name.
        max_body: bytes of a request's body.
        max_header: bytes of a request's first line and headers.
        max_depth: levels of lists and objects in a JSON body.
        max_petitions: petitions in a request.
        body_seconds: for a body to arrive.
        header_seconds: for first line and headers to arrive.
        concurrent: requests at the same time; more are answered 503.
        rate: requests a second that a key may make on average; petitions of one request count once.
        burst: requests that a key may make at once.
        guesses: failed keys a minute that an address may try before it is answered 429.
        key_cache_seconds: how long a key that was revoked elsewhere is still taken.
        reports: folders whose files the console shows, by the name under which they appear.
    """

    tls: bool = False
    public_metrics: bool = False
    open311: bool = True
    open311_public: bool = False
    open311_titles: bool = False
    max_body: int = 2 << 20
    max_header: int = 16 << 10
    max_depth: int = 12
    max_petitions: int = 500
    body_seconds: float = 15.0
    header_seconds: float = 10.0
    concurrent: int = 400
    rate: float = 500.0
    burst: int = 1000
    guesses: int = 20
    key_cache_seconds: float = 2.0
    reports: dict[str, Path] = field(default_factory=dict)
