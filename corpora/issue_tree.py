"""The issue tree (问题分类): three levels, 15 / 118 / 517 nodes, after the petition authorities' classification."""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from pathlib import Path

from corpora.records import IssueCode

_SEPARATORS = re.compile(r"\s*(?:[/／\\>＞→|｜、]|-+|－|—+)\s*")


class IssueTreeError(ValueError):
    """The tree's file is wrong; the message names the file, the lines and the reasons."""


@dataclass(frozen=True, slots=True)
class IssueNode:
    """A node: its code (two digits a level), name, level 1 to 3, and the code above ("" for the first level)."""

    code: str
    name: str
    level: int
    parent: str


class IssueTree:
    """All nodes, and the ways in which exports name them."""

    def __init__(self, nodes: Sequence[IssueNode]) -> None:
        self.nodes = tuple(nodes)
        self._by_code = {node.code: node for node in nodes}
        self._paths: dict[tuple[str, ...], list[str]] = defaultdict(list)
        self._children: dict[str, list[str]] = defaultdict(list)
        for node in nodes:
            self._children[node.parent].append(node.code)
            path = tuple(self._by_code[code].name for code in self._chain(node.code))
            # A path is known by itself and by every part of it that ends in the node: 燃气供应, 市政管理/燃气供应 …
            for start in range(len(path)):
                self._paths[path[start:]].append(node.code)
            if len(path) == 3:
                self._paths[path[0], path[2]].append(node.code)

    @classmethod
    @lru_cache(maxsize=4)
    def load(cls, path: Path | None = None) -> IssueTree:
        """Read a tree (`code,level,name,parent` in CSV); the bundled one by default.

        Raises:
            IssueTreeError: with all problems of the file.
        """
        source = path or resources.files("corpora").joinpath("data/issue_tree.csv")
        problems, nodes = [], []
        seen: dict[str, int] = {"": 0}
        rows = csv.DictReader(io.StringIO(source.read_text("utf-8-sig")))
        for line, row in enumerate(rows, 2):
            code, name, parent = (row.get(key) or "" for key in ("code", "name", "parent"))
            try:
                level = IssueCode(code).level
            except ValueError as error:
                problems.append(f"line {line}: {error}")
                continue
            if str(level) != row.get("level") or parent != code[:-2]:
                problems.append(f"line {line}: code {code} does not fit level {row.get('level')!r}, parent {parent!r}")
            elif parent not in seen:
                problems.append(f"line {line}: parent {parent!r} of {code} does not come before it")
            elif code in seen:
                problems.append(f"line {line}: code {code} stands on line {seen[code]} already")
            elif not name:
                problems.append(f"line {line}: {code} has no name")
            else:
                nodes.append(IssueNode(code, name, level, parent))
            seen.setdefault(code, line)
        if problems or not nodes:
            msg = f"{source}: " + ("; ".join(problems) or "no node")
            raise IssueTreeError(msg)
        return cls(nodes)

    def resolve(self, label: str) -> IssueCode | None:
        """Return the node that a label names: a code, a unique name, or a path; None if unknown or ambiguous.

        Of several nodes with the name, a single one on the shallowest level is meant (交通运输 is the first-level type).
        """
        text = unicodedata.normalize("NFKC", label).strip()
        if text in self._by_code:
            return IssueCode(text)
        found = self._paths.get((text,))
        if found is None:
            found = self._paths.get(tuple(part for part in _SEPARATORS.split(text) if part))
        if not found:
            return None
        least = min(map(len, found))
        shallow = [code for code in found if len(code) == least]
        return IssueCode(shallow[0]) if len(shallow) == 1 else None

    def __getitem__(self, code: str) -> IssueNode:
        return self._by_code[code]

    def path_name(self, code: str) -> str:
        """Return the names from the first level down, joined with "/"."""
        return "/".join(self._by_code[part].name for part in self._chain(code))

    def children(self, code: str = "") -> tuple[IssueCode, ...]:
        """Return the nodes right below; the first level for ""."""
        return tuple(IssueCode(child) for child in self._children.get(code, ()))

    def ancestors(self, code: str) -> tuple[IssueCode, ...]:
        """Return the nodes above, nearest first."""
        return tuple(IssueCode(part) for part in reversed(self._chain(code)[:-1]))

    def leaves(self) -> tuple[IssueNode, ...]:
        """Return the nodes that have none below."""
        return tuple(node for node in self.nodes if node.code not in self._children)

    @staticmethod
    def _chain(code: str) -> list[str]:
        return [code[:end] for end in range(2, len(code) + 1, 2)]
