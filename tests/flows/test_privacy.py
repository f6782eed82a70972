"""Personal data goes in and comes out nowhere: not in files, store, models, Prefect's records, output or errors.

All persons and numbers here are invented.
"""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


def id_number(first: str) -> str:
    """Return 17 digits with the check digit of GB 11643-1999."""
    return first + "10X98765432"[sum(int(digit) * weight for digit, weight in zip(first, _WEIGHTS, strict=True)) % 11]


ID_A, ID_B = id_number("33038119880412471"), id_number("33038119710930662")

#: Piece of a letter, and what of it must be found nowhere.
SECRETS: list[tuple[str, tuple[str, ...]]] = [
    ("我的手机是13957746218，随时可打", ("13957746218",)),
    ("电话 138 6829 4471 找我", ("138 6829 4471", "13868294471")),
    ("请打 177-5830-6642", ("177-5830-6642", "17758306642")),
    ("联系电话：+86 15968837254", ("15968837254",)),
    ("手机１５０５７７３９１８６", ("１５０５７７３９１８６", "15057739186")),
    ("手机159 5773-0284", ("159 5773-0284", "5773-0284", "15957730284")),
    (f"身份证号{ID_A}", (ID_A,)),
    (f"身份证 {ID_B[:6]} {ID_B[6:14]} {ID_B[14:]}", (ID_B, f"{ID_B[6:14]} {ID_B[14:]}")),
    ("发邮件到 linqiaoyun_77@example-mail.com 也行", ("linqiaoyun_77", "example-mail.com")),
    ("肇事车是浙CK39T7", ("CK39T7",)),
    ("那辆车牌浙C·8D2R5的货车", ("8D2R5",)),
    ("新能源车浙CDF6172占了车位", ("DF6172",)),
    ("我叫欧阳铁岭，住在附近", ("欧阳铁岭", "铁岭")),
    ("联系人：缪晓棠", ("缪晓棠", "晓棠")),
    ("联系人 温金钗 女", ("温金钗", "金钗")),
]
LETTER = "海棠社区门口的窨井盖坏了半个月没有人修，{}，请尽快派人来处理，谢谢。"
HEADER = ("编号", "时间", "渠道", "标题", "内容", "地址", "承办单位")
UNITS = ("市综合行政执法局", "市公安局")


def rows(name: str) -> list[list[str]]:
    """Return letters with each secret in the body, the title and the address."""
    found = []
    for number, (piece, _) in enumerate(SECRETS):
        filed = f"2026-11-{number % 15 + 1:02d} 09:00"
        unit = UNITS[number % 2]
        found += [
            [f"{name}{number}a", filed, "电话", "窨井盖坏了", LETTER.format(piece), "海棠社区", unit],
            [f"{name}{number}b", filed, "网站", f"窨井盖坏了，{piece}", LETTER.format("没人管"), f"海棠社区，{piece}", unit],
        ]
    return found


def rejected_rows(name: str) -> list[list[str]]:
    """Return rows with each secret that cannot be taken: a bad date, no id, a wrong number of cells, a repeated id."""
    found = []
    for number, (piece, _) in enumerate(SECRETS):
        letter = LETTER.format(piece)
        found += [
            [f"{name}{number}d", "昨天" + piece, "电话", "标题", letter, "", ""],
            ["", "2026-11-02", "电话", piece, letter, "", ""],
            [f"{name}{number}e", "2026-11-02", piece, letter],
            [f"{name}0a", "2026-11-02", "电话", piece, letter, "", ""],
        ]
    return found


def write(path: Path, content: Sequence[Sequence[str]]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([HEADER, *content])
    return path


def leaks(where: dict[str, bytes]) -> list[str]:
    """Return where which secrets were found, by their number: a failing test must not print them either."""
    found = []
    for place, content in where.items():
        for number, (_, secrets) in enumerate(SECRETS):
            for form, secret in enumerate(secrets):
                spellings = {secret.encode(), secret.encode("gb18030"), secret.encode("utf-16-le"), json.dumps(secret)[1:-1].encode()}
                if any(spelling in content for spelling in spellings):
                    found.append(f"{place}: secret {number}, form {form}")
    return found


def contents(*folders: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder.parent)): path.read_bytes() for folder in folders for path in folder.rglob("*") if path.is_file()}


def minqing(*arguments: object, home: Path) -> subprocess.CompletedProcess[bytes]:
    """Run the command with no server but its own, at the most talkative logging level."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PREFECT_")}
    environment |= {"MINQING_HOME": str(home), "PREFECT_LOGGING_LEVEL": "DEBUG"}
    command = [sys.executable, "-c", "from flows.cli import main; main()", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, env=environment, timeout=180, check=False)


def test_secrets_are_found_where_they_are(tmp_path: Path) -> None:
    """The search itself works: every secret that has the written form is seen in the input."""
    source = write(tmp_path / "in" / "a.csv", rows("A"))
    seen = {line.split("secret ")[1].split(",")[0] for line in leaks({"input": source.read_bytes()})}
    assert len(seen) == len(SECRETS)


def test_nothing_comes_out_of_training_and_routing(home: Path, city: Path, tmp_path: Path) -> None:
    labelled = write(tmp_path / "in" / "labelled.csv", rows("T"))
    incoming = tmp_path / "incoming"
    write(incoming / "good.csv", rows("G"))
    write(incoming / "more.csv", [*rows("H"), *rejected_rows("H")])
    out = tmp_path / "out"
    trained = minqing("train", labelled, "--target", "unit", "--units", city / "units.yaml", "--json", home=home)
    assert trained.returncode == 0, "training failed"
    routed = minqing("route", incoming, "--out", out, "--units", city / "units.yaml", "--json", home=home)
    assert routed.returncode == 0, "routing failed"
    run = json.loads(routed.stdout)
    assert (run["routed"], run["rejected"]) == (4 * len(SECRETS), 4 * len(SECRETS))
    assert not list((home / "spool").rglob("*.arrow")), "raw rows wait here only while a run lasts"
    assert (home / "prefect").is_dir(), "Prefect's records are among the files searched"
    said = {f"{n} {s}": getattr(done, s) for n, done in (("train", trained), ("route", routed)) for s in ("stdout", "stderr")}
    assert leaks(contents(out, home) | said) == []


@pytest.mark.usefixtures("prefect_server")
def test_channel_is_masked(home: Path, city: Path, tmp_path: Path) -> None:
    """A cell of the channel is free text in some exports (来电号码 …) and goes to the store with the petition."""
    from flows.route import route

    letters = [[f"C{n}", "2026-11-02", piece, "窨井盖坏了", LETTER.format(n), "", ""] for n, (piece, _) in enumerate(SECRETS)]
    source = write(tmp_path / "in" / "channel.csv", letters)
    route([str(source)], str(tmp_path / "out"), units=str(city / "units.yaml"), workers=1)
    assert leaks(contents(tmp_path / "out", home)) == []


@pytest.mark.parametrize("failing", ["units", "config", "map"])
def test_errors_tell_nothing(failing: str, home: Path, city: Path, tmp_path: Path) -> None:
    from click.testing import CliRunner

    from flows.cli import main

    source = write(tmp_path / "in" / "letters.csv", rows("E"))
    wrong = {"units": ["--units", source], "config": ["--config", source], "map": ["--map", "body=没有这一列"]}[failing]
    arguments = ["route", source, "--out", tmp_path / "out", "--units", city / "units.yaml", *wrong]
    done = CliRunner().invoke(main, [str(argument) for argument in arguments])
    assert done.exit_code == 2
    assert leaks({"output": done.output.encode(), "error": repr(done.exception).encode()} | contents(home)) == []
