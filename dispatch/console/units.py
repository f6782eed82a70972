"""Finding a unit by a few characters of its name."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

from dispatch.scoring import UnitChoice

_SHOWN = 12


def find_units(units: Sequence[UnitChoice], text: str) -> list[UnitChoice]:
    """Return units whose name or code holds all that was typed, shorter names first: 公安局 means the bureau, not its stations.

    Characters may be left out (水务局 finds 水利和城市供水事务局 last), since people type what they call a unit.
    """
    wanted = unicodedata.normalize("NFKC", text).casefold().split()
    if not wanted:
        return []
    ranked = []
    for unit in units:
        name = unicodedata.normalize("NFKC", unit.name).casefold()
        whole = f"{name} {unit.code.casefold()}"
        if all(part in whole for part in wanted):
            ranked.append(((0 if wanted[0] in name else 1, len(name), name.find(wanted[0]), unit.code), unit))
        elif len("".join(wanted)) > 1 and _in_order("".join(wanted), name):
            ranked.append(((2, len(name), 0, unit.code), unit))
    return [unit for _, unit in sorted(ranked, key=lambda item: item[0])[:_SHOWN]]


def _in_order(wanted: str, name: str) -> bool:
    rest = iter(name)
    return all(character in rest for character in wanted)
