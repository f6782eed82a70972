"""The issue tree (信访内容分类): three levels of issue types, and how labels of exports are read as its nodes.

The bundled tree is the petition authorities' (15 first-level types, 118 and 517 below); see `data/issue_tree.csv`.
"""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path

from corpora.dated import DataFileError
from corpora.records import IssueCode

_HEADER = ["code", "level", "name", "parent"]
#: Separators of a path, after NFKC (which makes ／＞－｜ narrow). Tried one by one before all together, because 、 also
#: stands within names.
_SEPARATORS = ("/", ">", "|", "-", "→", "\\", "—", "–", "、", ":")
_ANY_SEPARATOR = re.compile("[" + re.escape("".join(_SEPARATORS)) + "]+")
_SPACE = re.compile(r"[\s\u200b\ufeff]+")


class IssueTreeError(DataFileError):
    """An issue tree that cannot be used; the message names the file, the rows and the reasons."""


@dataclass(frozen=True, slots=True)
class IssueNode:
    """A node of the tree; `level` is 1 to 3, `parent` None at level 1."""

    code: IssueCode
    name: str
    level: int
    parent: IssueCode | None


class IssueTree:
    """The nodes by code and by name.

    Attributes:
        nodes: all nodes in the order of their codes.
    """

    def __init__(self, nodes: Iterable[IssueNode]) -> None:
        self.nodes = tuple(sorted(nodes, key=lambda node: node.code))
        self._by_code = {str(node.code): node for node in self.nodes}
        self._children: dict[str | None, list[IssueNode]] = {}
        self._by_name: dict[str, list[IssueNode]] = {}
        for node in self.nodes:
            self._children.setdefault(node.parent, []).append(node)
            self._by_name.setdefault(_key(node.name), []).append(node)
        # What `_chosen` says of each name and code by itself: most labels need no more than one look.
        self._alone = {name: self._chosen(found) for name, found in self._by_name.items()}
        self._alone |= {code: node.code for code, node in self._by_code.items()}
        # Whole paths without their separators, which are written in every way and also stand within names (登记、办理).
        self._paths = {_ANY_SEPARATOR.sub("", _key(self.path_name(n.code))): n.code for n in self.nodes if n.level > 1}

    @classmethod
    def load(cls, path: Path | None = None) -> IssueTree:
        """Return the bundled tree, or the one in the CSV file at `path` (`code,level,name,parent`).

        Raises:
            IssueTreeError: if the file cannot be read or its rows do not make a tree; all problems are named.
        """
        if path is None:
            return _bundled()
        try:
            text = path.read_text("utf-8-sig")
        except OSError as error:
            raise IssueTreeError.of(path, [f"cannot be read ({error.strerror or error})"]) from error
        except UnicodeDecodeError as error:
            raise IssueTreeError.of(path, ["not text in UTF-8"]) from error
        return cls(_read(text, str(path)))

    def __contains__(self, code: object) -> bool:
        return code in self._by_code

    def __getitem__(self, code: str) -> IssueNode:
        return self._by_code[code]

    def resolve(self, label: str) -> IssueCode | None:
        """Return the node that a label means, or None.

        A label is a code (`010213`), a name, or a path of names or codes (`城乡建设/城市建设和市政管理/燃气供应`, also
        with `-`, `>`, `、` or their full-width forms); a path may leave out levels. A name that several nodes bear means the one
        nearest the root if it is alone there (交通运输: 06, not 0603), else nothing (其他, 安全生产).
        """
        found = self._alone.get(label)
        if found is not None or label in self._by_name:
            return found
        text = unicodedata.normalize("NFKC", label).strip()
        key = _key(text)
        if not key:
            return None
        if key in self._alone:
            return self._alone[key]
        found = self._paths.get(_ANY_SEPARATOR.sub("", key))
        if found is not None:
            return found
        for separator in _SEPARATORS:
            if separator in text and (found := self._follow(text.split(separator))) is not None:
                return found
        return self._follow(_ANY_SEPARATOR.split(text)) or self._follow(_SPACE.split(text))

    def path_name(self, code: str) -> str:
        """Return the names from the root to `code`, joined with `/`.

        Raises:
            KeyError: if there is no such node.
        """
        return "/".join(self._by_code[c].name for c in (*reversed(self.ancestors(code)), code))

    def children(self, code: str | None = None) -> tuple[IssueNode, ...]:
        """Return the nodes right below `code`, or the first level."""
        return tuple(self._children.get(code, ()))

    def ancestors(self, code: str) -> tuple[IssueCode, ...]:
        """Return the codes above `code`, its parent first.

        Raises:
            KeyError: if there is no such node.
        """
        above: list[IssueCode] = []
        parent = self._by_code[code].parent
        while parent is not None:
            above.append(parent)
            parent = self._by_code[parent].parent
        return tuple(above)

    def leaves(self) -> tuple[IssueNode, ...]:
        """Return the nodes that have none below."""
        return tuple(node for node in self.nodes if node.code not in self._children)

    @staticmethod
    def _chosen(found: Sequence[IssueNode]) -> IssueCode | None:
        """Return the node of the lowest level number if it is alone there."""
        top = min((node.level for node in found), default=0)
        highest = [node for node in found if node.level == top]
        return highest[0].code if len(highest) == 1 else None

    def _follow(self, parts: Sequence[str]) -> IssueCode | None:
        """Return the node of the last part below nodes of the parts before it, in that order."""
        keys = [key for part in parts if (key := _key(part))]
        if len(keys) < 2:
            return None
        ends = [self._by_code[keys[-1]]] if keys[-1] in self._by_code else self._by_name.get(keys[-1], [])
        return self._chosen([node for node in ends if self._below(node, keys[:-1])])

    def _below(self, node: IssueNode, keys: Sequence[str]) -> bool:
        # A code may stand before its own name: 010213-燃气供应.
        chain = [self._by_code[code] for code in reversed(self.ancestors(node.code))]
        at = 0
        for i, key in enumerate(keys):
            own = i == len(keys) - 1 and key == node.code
            while not own and at < len(chain) and key not in (chain[at].code, _key(chain[at].name)):
                at += 1
            if not own and at == len(chain):
                return False
            at += not own
        return True


@cache
def _bundled() -> IssueTree:
    text = resources.files("corpora").joinpath("data/issue_tree.csv").read_text("utf-8-sig")
    return IssueTree(_read(text, "bundled issue tree"))


def _key(text: str) -> str:
    """Return the form in which names are compared: NFKC, no white space."""
    return _SPACE.sub("", unicodedata.normalize("NFKC", text))


def _read(text: str, source: str) -> list[IssueNode]:
    rows = list(csv.reader(io.StringIO(text, newline="")))
    if not rows or [cell.strip() for cell in rows[0]] != _HEADER:
        raise IssueTreeError.of(source, [f"the header must be {','.join(_HEADER)}"])
    nodes: dict[str, IssueNode] = {}
    siblings: set[tuple[str, str]] = set()
    problems: list[str] = []
    for number, row in enumerate(rows[1:], 2):
        if not any(cell.strip() for cell in row):
            continue
        cells = [cell.strip() for cell in row]
        if len(cells) != len(_HEADER):
            problems.append(f"row {number}: {len(cells)} cells instead of {len(_HEADER)}")
            continue
        code, level, name, parent = cells
        try:
            issue = IssueCode(code)
        except ValueError as error:
            problems.append(f"row {number}: {error}")
            continue
        if code in nodes:
            problems.append(f"row {number}: code {code} is given twice")
        if level != str(issue.level):
            problems.append(f"row {number}: level of {code} must be {issue.level}, not {level!r}")
        if parent != (issue.parent or ""):
            problems.append(f"row {number}: parent of {code} must be {issue.parent or 'empty'}, not {parent!r}")
        if not name:
            problems.append(f"row {number}: {code} has no name")
        elif (parent, _key(name)) in siblings:
            problems.append(f"row {number}: {name!r} is given twice below {parent or 'the root'}")
        siblings.add((parent, _key(name)))
        nodes[code] = IssueNode(issue, name, issue.level, issue.parent)
    missing = {node.parent for node in nodes.values() if node.parent is not None and node.parent not in nodes}
    problems += [f"no row for {code}, the parent of others" for code in sorted(missing)]
    if not nodes and not problems:
        problems.append("no nodes")
    if problems:
        raise IssueTreeError.of(source, problems)
    return list(nodes.values())
