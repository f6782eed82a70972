"""What the label round trip is about: an export, what a person said of one of its petitions, and what could not be taken."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

import pyarrow as pa

from corpora.records import Rejection

TARGETS = ("issue_type", "unit")
#: What a person may do with a petition: label it, say that it cannot be told (无法判断), or give it back (Label Studio's skip).
Status = Literal["labelled", "skipped", "cancelled"]


class LabelError(ValueError):
    """An annotation file or export that cannot be used as a whole; the message names the file and the reason."""


@dataclass(frozen=True, slots=True)
class Annotation:
    """What one person said of one petition.

    Attributes:
        export: id of the export in which the petition was given out.
        petition_id: as filed.
        target: `issue_type` or `unit`.
        label: code of the unit or issue (or the label itself where it is not of the tree); "" unless `labelled`.
        annotator: who said so.
        at: when, ISO 8601 in UTC.
        status: what was done with the petition.
        note: the person's remark, masked.
        source: the file it came in.
        row: its row or record there, from 1.
        given: the label as it stood in the file: a name, an alias, a unit that has a successor today.
        decides: whether this settles what others disagree on (仲裁).
    """

    export: str
    petition_id: str
    target: str
    label: str
    annotator: str
    at: str
    status: Status
    note: str = ""
    source: str = ""
    row: int = 0
    given: str = ""
    decides: bool = False


@dataclass(frozen=True, slots=True)
class Task:
    """A petition as it is put before a person; labels are given as they are shown, not as codes.

    Attributes:
        petition_id, title, body, address, submitted_at: as exported: masked, times as text.
        filed: the label that the row carries, "" if none.
        suggestion: what the machine would say, "" if nothing or not to be shown.
        probability: of the suggestion, 0 to 1.
        alternatives: next best labels with their probabilities.
        why: reasons for which this petition was picked, in Chinese.
    """

    petition_id: str
    title: str
    body: str
    address: str
    submitted_at: str
    filed: str = ""
    suggestion: str = ""
    probability: float = 0.0
    alternatives: tuple[tuple[str, float], ...] = ()
    why: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Job:
    """What a writer of a format needs: the tasks, and the labels that may be chosen, in the order to show them."""

    export: str
    target: str
    model: str
    choices: tuple[str, ...]
    tasks: tuple[Task, ...]

    @property
    def target_name(self) -> str:
        """Chinese name of what is labelled."""
        return {"unit": "承办单位", "issue_type": "问题类型"}[self.target]


@dataclass(frozen=True, slots=True)
class Export:
    """Rows that were given out for annotation.

    Attributes:
        id: made of the content; the same rows, suggestions and choices give the same id.
        target: what is asked.
        table: `PETITION_SCHEMA`, masked, labels as filed.
        manifest: plain values: `model`, `choices` (codes), `created_at`, and `picks`: for each row `petition_id`,
            `suggestion` (code), `probability`, `why`.
        units: the unit directory (YAML) that the choices came from, or None.
    """

    id: str
    target: str
    table: pa.Table
    manifest: dict[str, Any]
    units: bytes | None = None


@dataclass(frozen=True, slots=True)
class Filled:
    """What a file says of one petition, before it is checked.

    Attributes:
        export: id of the export, "" where the file does not say.
        petition_id: as it stands in the file.
        label: the label as text; "" where there is none.
        status: `labelled` also where the suggestion was accepted.
        accepts: whether the machine's suggestion was confirmed (同意建议).
        annotator: "" where the file does not say.
        at: ISO 8601 in UTC.
        note: the remark as it stands.
        row: row or record, from 1.
        text: title and body as they stand in the file, or None where the format cannot tell.
    """

    export: str
    petition_id: str
    label: str
    status: Status
    annotator: str
    at: str
    row: int
    note: str = ""
    accepts: bool = False
    text: str | None = None


@dataclass(slots=True)
class FilledFile:
    """What a file holds: rows filled in, rows left open, rows that could not be read, columns that were passed over.

    `filled`, `open` and `rejections` add up to the rows (or the annotations, where a record holds several).
    """

    source: str
    target: str = ""
    filled: list[Filled] = field(default_factory=list)
    open: int = 0
    rejections: list[Rejection] = field(default_factory=list)
    outcomes: tuple[str, ...] = ()
    guessed: bool = False  # the annotators are read from the file's name

    def reject(self, row: int, code: str, reason: str) -> None:
        """Set a row aside; its content is not kept, because it may hold personal data that was typed in."""
        self.rejections.append(Rejection(self.source, row, code, reason, ""))
