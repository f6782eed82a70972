"""Administrative divisions of China down to towns and streets: which city letters speak of, and its places."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources

import ahocorasick_rs

from corpora.places import Gazetteer, Place

#: A city is taken for the one that letters speak of where so many of them name it or its counties …
_LEAST_LETTERS = 20
_LEAST_SHARE = 0.02
#: … and so large a part of all such names are its own.
_MAJORITY = 0.5
_TOWN_KINDS = {"镇": "town", "乡": "township", "街道": "subdistrict"}
_TOWN_END = re.compile(r"(?:街道|镇|乡)$")


@dataclass(frozen=True, eq=False)
class Divisions:
    """The divisions by code: provinces (2 digits), cities (4), counties and districts (6), and the towns of each county."""

    provinces: Mapping[str, str]
    cities: Mapping[str, str]
    counties: Mapping[str, str]
    towns: Mapping[str, tuple[str, ...]]

    @classmethod
    @cache
    def load(cls) -> Divisions:
        """Read the bundled list (`data/divisions.txt`, which names its source and date)."""
        names: dict[int, dict[str, str]] = {2: {}, 4: {}, 6: {}}
        towns = {}
        for line in resources.files("corpora").joinpath("data/divisions.txt").read_text("utf-8").splitlines():
            if line and not line.startswith("#"):
                code, name, *below = line.split()
                names[len(code)][code] = name
                if len(code) == 6:
                    towns[code] = tuple(below)
        return cls(names[2], names[4], names[6], towns)

    def city_of(self, county: str) -> str:
        """Return the code of the city that a county lies in; a county right below its province is its own."""
        if county[:4] in self.cities:
            return county[:4]
        return county if county[2:4] == "90" else county[:2]

    def name_of(self, city: str) -> str:
        """Return the name of a city as `city_of` and `city_named_in` give it.

        Raises:
            KeyError: if there is no such city.
        """
        return {2: self.provinces, 4: self.cities, 6: self.counties}[len(city)][city]

    def city_named_in(self, texts: Sequence[str]) -> str | None:
        """Return the city that most of the texts speak of, by its name and its counties' names; None where it is not plain."""
        means: dict[str, set[str]] = defaultdict(set)
        for code, name in self.counties.items():
            means[name].add(self.city_of(code))
            means[self.name_of(self.city_of(code))].add(self.city_of(code))
        named = [name for name in means if len(name) >= 3]  # 城区, 矿区, 郊区 are also plain words
        finder = ahocorasick_rs.AhoCorasick(named, matchkind=ahocorasick_rs.MATCHKIND_LEFTMOST_LONGEST)
        letters: Counter[str] = Counter()
        votes: dict[str, float] = defaultdict(float)
        for text in texts:
            found = {named[index] for index, _, _ in finder.find_matches_as_indexes(text)}
            letters.update({next(iter(means[name])) for name in found if len(means[name]) == 1})
            for name in found:
                for city in means[name]:
                    votes[city] += 1 / len(means[name])
        if not votes:
            return None
        city, most = min(votes.items(), key=lambda item: (-item[1], item[0]))
        enough = letters[city] >= max(_LEAST_LETTERS, _LEAST_SHARE * len(texts))
        return city if enough and most >= _MAJORITY * sum(votes.values()) else None

    def gazetteer(self, city: str) -> Gazetteer:
        """Return the places of a city: itself, its counties and districts, its towns and streets.

        A town's code is its county's with its name behind. 七宝镇 is found as 七宝 too: residents seldom write the rest.

        Raises:
            KeyError: if there is no such city.
        """
        places = [Place(city, self.name_of(city), "city")]
        for code, name in self.counties.items():
            if self.city_of(code) != city:
                continue
            if code != city:
                places.append(Place(code, name, "district" if name.endswith("区") else "county", parent=city))
            for town in self.towns[code]:
                ending = _TOWN_END.search(town)
                short = _TOWN_END.sub("", town)
                kind = _TOWN_KINDS[ending[0]] if ending else "zone"
                aliases = (short,) if short != town and len(short) >= 2 else ()
                places.append(Place(code + town, town, kind, parent=code, aliases=aliases))
        return Gazetteer(places, shortest=2)
