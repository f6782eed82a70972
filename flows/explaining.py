"""`minqing explain`: one petition, the models in service, and why they say what they say."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from corpora.issue_tree import IssueTree
from corpora.readers import ReadError, read_petitions
from corpora.records import PETITION_SCHEMA
from corpora.workspace import models_dir
from models import registry
from models.city import City
from models.explanation import Explanation, Subject, explain
from models.issue import IssueModel
from models.saved import issue_model, lexicon_of
from models.serving import NotReadyError, load_router
from models.subjects import IssueSubject, UnitSubject
from pipeline.petitions.clean import clean_texts
from pipeline.petitions.mask import mask_texts
from pipeline.petitions.segment import segmenter


def one_text(text: str, title: str = "", address: str = "", refused: Sequence[str] = ()) -> pa.Table:
    """Return a batch of one petition as it was typed.

    Raises:
        ReadError: if there is no text.
    """
    if not text.strip():
        msg = "the petition has no text"
        raise ReadError(msg)
    row = {
        "petition_id": "TEXT", "title": title, "body": text, "submitted_at": None, "address": address, "channel": "",
        "issue_type": "", "unit": "", "refused_units": list(refused), "source": "text", "row": 1,
    }  # fmt: skip
    return pa.Table.from_pylist([row], schema=PETITION_SCHEMA)


def one_petition(petition_id: str, paths: Sequence[Path], mapping: Mapping[str, str]) -> pa.Table:
    """Return the batch of the one petition with this id in the files.

    Raises:
        ReadError: if no row has the id, or the row with it could not be read.
    """
    read = rejected = 0
    for chunk in read_petitions(paths, mapping=mapping):
        read += chunk.table.num_rows
        rejected += len(chunk.rejections)
        for row, found in enumerate(chunk.table["petition_id"].to_pylist()):
            if found == petition_id:
                return chunk.table.slice(row, 1)
    told = f"; {rejected} rows could not be read" if rejected else ""
    msg = f"no petition {petition_id!r} among {read} rows of {', '.join(map(str, paths))}{told}"
    raise ReadError(msg)


def explain_petition(
    target: str,
    petition: pa.Table,
    units: Path | None = None,
    places: Path | None = None,
    top: int = 3,
    on: dt.date | None = None,
) -> dict[str, Any]:
    """Explain what the models in service say of one petition (a batch of one row).

    Returns:
        The explanation as plain values; `text` is masked, and all offsets point into it.

    Raises:
        models.serving.NotReadyError: if there is neither a model nor a unit directory to go by.
        models.registry.ModelError: if a saved version is damaged.
    """
    root = models_dir()
    subject, version = _subject(target, root, petition["refused_units"][0].as_py() or [], units, places, on or dt.date.today())
    (title, body, address), masked = mask_texts(clean_texts([petition[name][0].as_py() for name in ("title", "body", "address")]))
    found = explain(subject, title, body, address, top)
    return {
        "target": target,
        "model": version,
        "petition_id": petition["petition_id"][0].as_py(),
        "masked": dict(masked),
        **_plain(found, subject),
    }


def _subject(
    target: str, root: Path, refused: Sequence[str], units: Path | None, places: Path | None, on: dt.date
) -> tuple[Subject, str]:
    issue, unit = registry.champion(root, "issue_type"), registry.champion(root, "unit")
    if target == "unit":
        router = load_router(root, issue, unit, units, places, None, on)
        return UnitSubject(router, refused), router.unit_version
    tree = IssueTree.load()
    if issue is None:
        city = City.load(units, places)
        if city.directory is None:
            msg = "no issue_type model is in service: use --units FILE, or `minqing train … --target issue_type`"
            raise NotReadyError(msg)
        model = IssueModel.without_history(tree, city.directory, segmenter(city.lexicon()))
        return IssueSubject(model, city.lexicon(), tree), "issue_type-none"
    saved = registry.load(root, "issue_type", issue)
    assert saved is not None  # noqa: S101 - the champion was named just now
    references = saved.manifest["model"].get("references", ())
    return IssueSubject(issue_model(saved), lexicon_of(saved), tree, references), saved.version


def _plain(found: Explanation, subject: Subject) -> dict[str, Any]:
    names = dict(zip(subject.labels, subject.names, strict=True))
    plain = dataclasses.asdict(found)
    for candidate in plain["candidates"]:
        candidate["against_name"] = names.get(candidate["against"], "")
    plain["refused"] = [{"label": label, "name": names.get(label, label)} for label in found.refused]
    return plain
