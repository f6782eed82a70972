"""The units under docs/systemd: systemd takes them, they leave little open, and what they start is there."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from flows.cli import main

FOLDER = Path(__file__).parents[2] / "docs" / "systemd"
SERVICES = sorted(FOLDER.glob("*.service"))
#: Exposure that `systemd-analyze security` may find, of 100 (a unit without any restriction has 96).
EXPOSURE = 25


def started(path: Path) -> list[list[str]]:
    """Return the commands of minqing that a unit starts."""
    lines = re.findall(r"^ExecStart=(.+)$", path.read_text("utf-8"), re.M)
    words = [shlex.split(line) for line in lines]
    flat = [shlex.split(line[-1].removeprefix("exec ")) if line[0] == "/bin/sh" else line for line in words]
    return [line[1:] for line in flat if line[0].endswith("/minqing")]


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="no systemd on this machine")
def test_systemd_takes_them(tmp_path: Path) -> None:
    """With programs and users of this machine in place of those of the target."""
    for path in [*SERVICES, *FOLDER.glob("*.timer")]:
        text = re.sub(r"/opt/minqing/\.venv/bin/\w+", "/bin/true", path.read_text("utf-8"))
        (tmp_path / path.name).write_text(re.sub(r"^(User|Group)=.*$", r"\1=root", text, flags=re.M), "utf-8")
    units = [str(path) for path in sorted(tmp_path.iterdir())]
    done = subprocess.run(["systemd-analyze", "verify", "--man=no", *units], capture_output=True, text=True, check=False)
    ours = [line for line in done.stderr.splitlines() if "minqing" in line]
    assert ours == []
    for path in tmp_path.glob("*.service"):
        command = ["systemd-analyze", "security", "--offline=true", f"--threshold={EXPOSURE}", "--no-pager", str(path)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{path.name}: {done.stdout[-300:]}{done.stderr}"


@pytest.mark.parametrize("path", SERVICES, ids=lambda path: path.stem)
def test_what_they_start_is_there(path: Path) -> None:
    """Every command and option of minqing that a unit names."""
    for words in started(path):
        command = main
        while words and not words[0].startswith("-") and hasattr(command, "commands") and words[0] in command.commands:
            command = command.commands[words.pop(0)]
        assert command is not main, words
        known = {name for item in command.params for name in (*item.opts, *item.secondary_opts)}
        assert {word for word in words if word.startswith("--")} <= known


def test_each_unit_is_held_the_same_way() -> None:
    """What restricts a service restricts all."""
    blocks = {path.stem: path.read_text("utf-8").partition("User=minqing")[2].partition("\n[Install]")[0].strip() for path in SERVICES}
    assert len(set(blocks.values())) == 1, blocks.keys()
    assert all("NoNewPrivileges=true" in block and "ProtectSystem=strict" in block for block in blocks.values())
    for path in FOLDER.glob("*.timer"):
        assert path.with_suffix(".service").exists()


def test_the_guide_names_what_is_there() -> None:
    """Every unit is in docs/deploy.md, and every minqing command there exists."""
    text = (FOLDER.parent / "deploy.md").read_text("utf-8")
    assert all(path.name.partition(".")[0] in text for path in FOLDER.iterdir())
    for words in re.findall(r"^    minqing ([a-z]+(?: [a-z]+)?)", text, re.M):
        first, _, second = words.partition(" ")
        command = main.commands[first]
        if hasattr(command, "commands"):
            assert second in command.commands, words
