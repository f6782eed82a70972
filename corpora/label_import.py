"""From what a file says to annotations: each row is matched with the one that was given out, and its label checked."""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from corpora import label_store
from corpora.issue_tree import IssueTree
from corpora.label_choices import Choices, IssueChoices, UnitChoices, UnknownLabelError
from corpora.label_formats.base import spaceless
from corpora.label_records import Annotation, Export, Filled, FilledFile, LabelError
from corpora.records import Rejection
from corpora.units import UnitDirectory


@dataclass(slots=True)
class Checked:
    """A file after checking; annotations, `open` and rejections add up to its rows, but for rows given twice alike.

    Attributes:
        source: name of the file.
        annotations: what may be taken in.
        open: rows that nobody has filled in.
        rejections: rows set aside, with their reasons.
        repeated: rows that say again what another row of the file says.
        edited: rows whose text was changed; the text as exported counts.
        outcomes: columns written after filing (replies, results), not read.
        remarks: what was done to labels (former unit → successor) → how often.
    """

    source: str
    annotations: list[Annotation] = field(default_factory=list)
    open: int = 0
    rejections: list[Rejection] = field(default_factory=list)
    repeated: int = 0
    edited: int = 0
    outcomes: tuple[str, ...] = ()
    remarks: Counter[str] = field(default_factory=Counter)


def choices_of(export: Export, units: Path | None, on: dt.date) -> Choices:
    """Return the labels that an export may be given.

    Args:
        export: knows the directory or the labels that were on offer.
        units: a newer unit directory to check against.
        on: the day on which units must be there.

    Raises:
        corpora.units.UnitDirectoryError: if the directory cannot be used.
    """
    if export.target == "issue_type":
        return IssueChoices(IssueTree.load(), export.manifest["choices"])
    if units is not None:
        return UnitChoices(UnitDirectory.load(units), on)
    if export.units is None:
        return UnitChoices(UnitDirectory.from_labels(export.manifest["choices"]), on)
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "units.yaml"
        path.write_bytes(export.units)
        return UnitChoices(UnitDirectory.load(path), on)


class Importer:
    """Checks files against the exports of a store."""

    def __init__(self, root: Path, on: dt.date, units: Path | None = None, annotator: str = "", *, decides: bool = False) -> None:
        """Prepare.

        Args:
            root: folder of the store.
            on: today.
            units: a newer unit directory, or None for the export's own.
            annotator: who filled in the rows that name nobody, and doccano's files.
            decides: whether the labels settle what others disagree on.
        """
        self._root, self._on, self._units = root, on, units
        self._annotator, self._decides = annotator.strip(), decides
        self._exports: dict[str, Export] = {}
        self._choices: dict[str, Choices] = {}
        self._rows: dict[str, dict[str, int]] = {}
        self._where: dict[tuple[str, str], str] | None = None

    def check(self, file: FilledFile) -> Checked:
        """Return what may be taken in from a file, and what not and why."""
        done = Checked(file.source, open=file.open, rejections=list(file.rejections), outcomes=file.outcomes)
        said: dict[tuple[str, str, str], list[Annotation]] = defaultdict(list)
        for row in file.filled:
            try:
                item = self._annotation(row, file, done)
            except UnknownLabelError as error:
                done.rejections.append(Rejection(file.source, row.row, error.code, str(error), ""))
            else:
                said[item.export, item.petition_id, item.annotator].append(item)
        for words in said.values():
            self._settle(words, done)
        done.annotations.sort(key=lambda item: item.row)
        done.rejections.sort(key=lambda item: item.row)
        return done

    def _settle(self, words: list[Annotation], done: Checked) -> None:
        """Take one word of a person on a petition; several at one moment must agree, else none of them counts."""
        by_time: dict[str, list[Annotation]] = defaultdict(list)
        for item in words:
            by_time[item.at].append(item)
        for items in by_time.values():
            if len({(item.label, item.status) for item in items}) > 1:
                rows = "、".join(str(item.row) for item in items)
                reason = f"同一人对同一件填得不一致（第 {rows} 行），都未采用"
                done.rejections += [Rejection(done.source, item.row, "contradictory", reason, "") for item in items]
            else:
                done.annotations.append(items[0])
                done.repeated += len(items) - 1

    def _annotation(self, row: Filled, file: FilledFile, done: Checked) -> Annotation:
        export = self._export(row, file)
        place = self._rows[export.id].get(row.petition_id)
        if place is None:
            raise UnknownLabelError("unknown_id", "编号不在导出的来信中；编号可能被改动（如丢了前面的零）")
        if file.target and file.target != export.target:
            raise UnknownLabelError("wrong_target", f"表格标注的是 {file.target}，导出的是 {export.target}")
        who = (self._annotator if file.guessed else "") or row.annotator or self._annotator
        if not who:
            raise UnknownLabelError("no_annotator", "没有写标注人；请在表中填写，或用 --annotator 指定")
        label, given = self._label(row, export, place, done)
        table = export.table
        if row.text is not None:
            filed = spaceless(table["title"][place].as_py() + table["body"][place].as_py())
            done.edited += _differs(spaceless(row.text), filed)
        return Annotation(
            export.id, row.petition_id, export.target, label, who, row.at, row.status, row.note, file.source, row.row, given, self._decides
        )  # fmt: skip

    def _label(self, row: Filled, export: Export, place: int, done: Checked) -> tuple[str, str]:
        """Return code and text of the label, both "" where there is none."""
        if row.status != "labelled":
            return "", ""
        choices = self._choices[export.id]
        given = row.label
        suggested = export.manifest["picks"][place].get("suggestion", "")
        if row.accepts:
            if not suggested:
                raise UnknownLabelError("no_suggestion", "选了同意建议，但这一件没有系统建议")
            if given and choices.read(given).label != choices.read(suggested).label:
                raise UnknownLabelError("contradictory", "选了同意建议，又填了另一个标签")
            given = given or suggested
        read = choices.read(given)
        if read.remark:
            done.remarks[read.remark] += 1
        return read.label, given

    def _export(self, row: Filled, file: FilledFile) -> Export:
        """Return the export of a row: the one it names, or the latest that gave this id out."""
        name = row.export
        if not name:
            if self._where is None:
                self._where = {
                    (export.target, petition): export.id
                    for export in label_store.exports(self._root)
                    for petition in export.table["petition_id"].to_pylist()
                }
            known = [self._where[target, row.petition_id] for target in ("issue_type", "unit")
                     if (target, row.petition_id) in self._where and file.target in ("", target)]  # fmt: skip
            if len(known) != 1:
                reason = "编号不在任何一次导出中" if not known else "不知道标注的是问题类型还是承办单位"
                raise UnknownLabelError("unknown_id", f"文件没有导出编号，{reason}；请使用导出的文件")
            name = known[0]
        if name not in self._exports:
            try:
                export = label_store.load_export(self._root, name)
            except LabelError as error:
                raise UnknownLabelError("unknown_export", f"本机没有导出 {name[:40]}；请在导出的机器上导入") from error
            self._choices[name] = choices_of(export, self._units, self._on)
            self._rows[name] = {petition: i for i, petition in enumerate(export.table["petition_id"].to_pylist())}
            self._exports[name] = export
        return self._exports[name]


def _differs(text: str, filed: str) -> bool:
    """Tell whether a text was edited; one that a format had to cut is not."""
    cut = text.find("…（过长，已截断）")
    return text != filed if cut < 0 else not filed.startswith(text[:cut])


def rejected_by(rejections: list[Rejection]) -> Mapping[str, int]:
    """Return code → rows set aside."""
    return dict(Counter(item.code for item in rejections))
