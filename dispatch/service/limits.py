"""How much one client may ask: token buckets in memory, the least recently used forgotten first."""

from __future__ import annotations

import ipaddress
import math
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

#: Clients remembered at the most; an attacker with many addresses must not fill the memory.
_CLIENTS = 10_000


@dataclass(frozen=True, slots=True)
class Allowance:
    """Whether a request may pass, how many more may at once, and in how many seconds there is one again (at least 1)."""

    ok: bool
    left: int
    wait: int


class Buckets:
    """A bucket of tokens for each client; it fills at `rate` a second up to `burst`."""

    def __init__(self, rate: float, burst: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.rate, self.burst = rate, burst
        self._clock = clock
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, client: str, tokens: int = 1) -> Allowance:
        """Take tokens from the client's bucket if it holds them; 0 looks whether there is one."""
        now = self._clock()
        held, at = self._buckets.pop(client, (float(self.burst), now))
        held = min(float(self.burst), held + (now - at) * self.rate)
        ok = held >= max(tokens, 1)
        if ok:
            held -= tokens
        self._buckets[client] = (held, now)
        if len(self._buckets) > _CLIENTS:
            self._buckets.popitem(last=False)
        wait = max(1, math.ceil((1 - held) / self.rate)) if held < 1 else 1
        return Allowance(ok, int(held), wait)


def network(address: str) -> str:
    """Return what stands for a client: its IPv4 address, or the /64 an IPv6 host can choose addresses from."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address
    if found.version == 6:
        if found.ipv4_mapped:
            return str(found.ipv4_mapped)
        return str(ipaddress.ip_network((found, 64), strict=False))
    return str(found)


def is_loopback(address: str) -> bool:
    """Tell whether an address is this machine's own."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return False
    mapped = found.ipv4_mapped if found.version == 6 else None
    return (mapped or found).is_loopback
