"""Titles of statutes: one normal form, and the other titles that mean the same law.

A title is compared in its normal form and whole; nothing here finds a near match.
"""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from functools import cache
from importlib import resources

COUNTRY = "中华人民共和国"

_SPACE = re.compile(r"\s+")
_FORMS = str.maketrans("()〈〉<>「」『』﹝﹞０１２３４５６７８９", "（）《》《》《》《》（）0123456789")
#: The version a writer adds to a title: （2021年修订）, （2018修正）, （修订）, （2015年版）; numbers of parts (（一）) are none.
_VERSION = re.compile(
    r"（(?:(?:19|20)\d\d年?(?:\d{1,2}月(?:\d{1,2}日)?)?(?:第[一二三四五六七八九十]+次)?(?:修订|修正|修改|版|公布|施行)?|修订|修正|最新)(?:版|本|文本)?）$"
)
#: Trial forms, which citations leave out as often as not.
_TRIAL = re.compile(r"（(?:试行|暂行)）$")
_INNER = re.compile(rf"《{COUNTRY}")


def normalise_title(title: str) -> str:
    """Return the form in which titles are compared: no white space, （） and inner 《》 of one kind, no outer 《》."""
    text = _SPACE.sub("", title).translate(_FORMS)
    return text[1:-1] if text.startswith("《") and text.endswith("》") and _closes_last(text) else text


def _closes_last(text: str) -> bool:
    """Whether the bracket that opens the text is the one that its last character closes."""
    depth = 0
    for index, char in enumerate(text):
        depth += (char == "《") - (char == "》")
        if depth == 0:
            return index == len(text) - 1
    return False


def without_version(title: str) -> str:
    """Return a normalised title without the version that a writer added to it, itself where there is none."""
    return _VERSION.sub("", title)


@cache
def short_forms() -> Mapping[str, tuple[str, ...]]:
    """Return the hand table: official title → short forms in common use (`data/statutes/short_forms.csv`)."""
    text = resources.files("corpora").joinpath("data/statutes/short_forms.csv").read_text("utf-8")
    return {row["title"]: tuple(row["short_forms"].split()) for row in csv.DictReader(text.splitlines())}


def aliases(title: str) -> tuple[str, ...]:
    """Return other titles that may mean the law of that title: without the country's name, short forms of the hand table.

    《浙江省实施〈…法〉办法》 keeps its frame: it is never an alias of the law that it implements.
    """
    found = [title.removeprefix(COUNTRY), _INNER.sub("《", title), _INNER.sub("《", title.removeprefix(COUNTRY))]
    if "《" in title:  # 浙江省实施中华人民共和国水法办法
        found.append(re.sub("[《》]", "", title))
    found += short_forms().get(title, ())
    return tuple(dict.fromkeys(name for name in found if name and name != title))


def trial_aliases(title: str) -> tuple[str, ...]:
    """Return the title and its aliases without （试行）, as they are often cited; () for a title that is no trial."""
    return tuple(dict.fromkeys(_TRIAL.sub("", name) for name in (title, *aliases(title)) if _TRIAL.search(name)))


def unambiguous(titles: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Return the aliases of each title that are no other law's title and no other law's alias.

    A short form of the hand table goes before what is formed by rule, and the full form before a trial's.
    """
    names = sorted(set(titles))
    formed = {title: aliases(title) for title in names}
    by_hand = {short: title for title, shorts in short_forms().items() if title in formed for short in shorts}
    uses = Counter(name for found in formed.values() for name in found)
    kept = {
        title: [
            name
            for name in found
            if name not in formed and (by_hand.get(name) == title or (uses[name] == 1 and name not in by_hand))
        ]
        for title, found in formed.items()
    }
    trials = {title: trial_aliases(title) for title in names}
    uses.update(name for found in trials.values() for name in found)
    for title, found in trials.items():
        kept[title] += [name for name in found if uses[name] == 1 and name not in formed]
    return {title: tuple(found) for title, found in kept.items()}
