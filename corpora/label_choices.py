"""The labels that may be given: units of a directory as of a day, or nodes of the issue tree; shown by name, kept as codes."""

from __future__ import annotations

import datetime as dt
import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from corpora.issue_tree import IssueTree
from corpora.units import UnitDirectory, label_key


class UnknownLabelError(ValueError):
    """A label that may not be given; `code` is a stable machine word, the message a sentence for a person."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code = code


@dataclass(frozen=True, slots=True)
class Choice:
    """A label that was read: its code, and a remark where it is not what was written."""

    label: str
    remark: str = ""


class Choices(Protocol):
    """Labels of one target."""

    @property
    def codes(self) -> tuple[str, ...]:
        """Codes on offer, in the order to show them."""

    def show(self, code: str) -> str:
        """Return the name under which a code is shown; the code itself where it has none."""

    def read(self, text: str) -> Choice:
        """Return the label that a text means.

        Raises:
            UnknownLabelError: if it may not be given.
        """


class UnitChoices:
    """Units valid on a day; a unit that is gone stands for its successor."""

    def __init__(self, directory: UnitDirectory, on: dt.date) -> None:
        self._directory, self._on = directory, on
        self.codes = tuple(str(unit.code) for unit in directory.on(on).units)

    def show(self, code: str) -> str:
        """Return the unit's name."""
        return self._directory[code].name if self._directory.has(code) else code

    def read(self, text: str) -> Choice:
        """Return the unit of a code, name or alias.

        Raises:
            UnknownLabelError: if there is no such unit, or it ended without one successor.
        """
        code = self._directory.resolve(text, self._on)
        if code is None:
            near = _near(text, [self.show(each) for each in self.codes])
            raise UnknownLabelError("unknown_label", f"“{_clip(text)}”不在单位目录中{near}")
        now = self._directory.successor_on(code, self._on)
        if len(now) == 1:
            remark = "" if now[0] == code else f"{self._directory[code].name}已撤并，记为{self.show(now[0])}"
            return Choice(str(now[0]), remark)
        gone = self._directory[code].name
        if now:
            told = "、".join(self.show(unit) for unit in now)
            raise UnknownLabelError("several_successors", f"{gone}已由多个单位承接（{told}），请写明是哪一个")
        raise UnknownLabelError("unit_gone", f"{gone}在{self._on:%Y-%m-%d}不存在，也没有承接单位")


class IssueChoices:
    """Nodes of the issue tree, shown with their path, and labels of a model that are not of the tree."""

    def __init__(self, tree: IssueTree, labels: Sequence[str] = ()) -> None:
        self._tree = tree
        self.codes = tuple(labels) or tuple(str(node.code) for node in tree.leaves())
        self._own = {label_key(label): label for label in labels if tree.resolve(label) != label}

    def show(self, code: str) -> str:
        """Return the path of names from the root."""
        return self._tree.path_name(code) if code in self._tree else code

    def read(self, text: str) -> Choice:
        """Return the issue of a code, name or path, any level.

        Raises:
            UnknownLabelError: if it is neither of the tree nor a label of the model.
        """
        own = self._own.get(label_key(text))
        code = own or self._tree.resolve(text)
        if code is None:
            names = [self.show(each) for each in self.codes]
            raise UnknownLabelError("unknown_label", f"“{_clip(text)}”不在问题分类中{_near(text, names)}")
        return Choice(str(code))


def _near(text: str, names: list[str]) -> str:
    near = difflib.get_close_matches(text, names, 1, 0.6)
    return f"；是否为“{near[0]}”？" if near else ""


def _clip(text: str) -> str:
    return text if len(text) <= 20 else text[:20] + "…"
