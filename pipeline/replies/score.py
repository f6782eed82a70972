"""Scores a batch of replies: the four parts, the kind, the total."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from corpora.reply_config import PARTS, PartWeights, ReplyConfig
from pipeline.petitions.clean import clean_texts
from pipeline.petitions.deadline import DeadlineRules
from pipeline.petitions.mask import mask_texts
from pipeline.petitions.segment import Segmenter
from pipeline.policies.citations import Finder
from pipeline.replies.completeness import completeness
from pipeline.replies.copies import copies
from pipeline.replies.explanation import explanation
from pipeline.replies.records import Part, ReplyScore, Timeliness
from pipeline.replies.relevance import relevance
from pipeline.replies.requests import Request, requests_of, select, telling
from pipeline.replies.terms import weighted
from pipeline.replies.timeliness import timeliness
from pipeline.replies.wording import Wording, kind_of

#: Parts below this are named among the reasons of a low total.
_WEAK = 0.5
#: Kinds that answer nothing, in words.
_EMPTY = {"holding": "只说收悉或转办，没有实质内容", "echo": "只重复来信文字，没有实质内容"}


@dataclass(frozen=True, slots=True)
class ScoredReplies:
    """A batch of n replies, masked, and their scores.

    Attributes:
        titles, bodies, replies: cleaned and masked texts.
        scores: a score each.
        masked: how often each kind of personal data was masked.
    """

    titles: list[str]
    bodies: list[str]
    replies: list[str]
    scores: list[ReplyScore]
    masked: Counter[str]


def score_replies(
    table: pa.Table,
    config: ReplyConfig,
    rules: DeadlineRules,
    segmenter: Segmenter,
    finder: Finder,
    on: dt.date,
) -> ScoredReplies:
    """Score a batch of replies; relevance and copies are judged within the batch, so give a whole period at once.

    Args:
        table: rows with `corpora.replies.REPLY_SCHEMA`.
        config: weights, limits and words.
        rules: deadline rules with their calendar.
        segmenter: cuts words.
        finder: finds citations of statutes.
        on: day as of which petitions without a reply are judged.
    """
    masked: Counter[str] = Counter()
    columns = []
    for name in ("title", "body", "reply", "unit"):
        texts, counts = mask_texts(clean_texts(table[name].to_pylist()))
        masked += counts
        columns.append(texts)
    titles, bodies, replies, units = columns
    answered = [bool(reply.strip()) for reply in replies]
    times = [table[name].to_numpy(zero_copy_only=False).astype("datetime64[s]") for name in ("submitted_at", "replied_at")]
    took = timeliness(times[0], times[1], answered, table["channel"].to_pylist(), table["issue_type"].to_pylist(), rules, on)
    scores = _scores(titles, bodies, replies, answered, config, segmenter, finder)
    out = []
    for row, (item, late) in enumerate(zip(scores, took, strict=True)):
        late = _with_note(late, item.signed_on, table["replied_at"][row].as_py())
        unit, source = (units[row], "column") if units[row] else (item.unit, "signature" if item.unit else "")
        out.append(_finished(replace(item, timeliness=late, unit=unit, unit_from=source), config.weights))
    return ScoredReplies(titles, bodies, replies, out, masked)


def _scores(
    titles: Sequence[str],
    bodies: Sequence[str],
    replies: Sequence[str],
    answered: Sequence[bool],
    config: ReplyConfig,
    segmenter: Segmenter,
    finder: Finder,
) -> list[ReplyScore]:
    """Score all but timeliness; petitions without a reply are of kind `unanswered`."""
    wording = Wording(config)
    petitions = [f"{title}\n{body}" for title, body in zip(titles, bodies, strict=True)]
    texts = [wording.read(reply, petition) for reply, petition in zip(replies, petitions, strict=True)]
    contents = [text.content for text in texts]
    near = relevance(petitions, replies, contents, config.relevance)
    asked = weighted((petitions,), 1)[0] if petitions else None
    group = copies(replies, asked, config.relevance.same_matter, config.copies) if asked is not None else None
    requests, words, weights = _requests(titles, bodies, contents, segmenter, wording)
    unknown = Timeliness("unknown", None, None, None, None, "", "", None)
    out = []
    for row, text in enumerate(texts):
        if not answered[row] or group is None:
            out.append(ReplyScore("unanswered", None, unknown, requests=len(requests[row])))
            continue
        whole, count = completeness(text, petitions[row], requests[row], words[row], weights, wording)
        out.append(
            ReplyScore(
                kind_of(text, wording),
                None,
                unknown,
                near[row],
                whole,
                explanation(text, wording, finder, int(group.matters[row])),
                unit=text.unit,
                signed_on=text.signed_on,
                copies=int(group.size[row]),
                copy_group=int(group.group[row]) if group.group[row] >= 0 else None,
                requests=len(requests[row]),
                met=count,
            )
        )
    return out


def _requests(
    titles: Sequence[str], bodies: Sequence[str], contents: Sequence[str], segmenter: Segmenter, wording: Wording
) -> tuple[list[list[Request]], list[frozenset[str]], Mapping[str, float]]:
    """Return the requests of each petition, the telling words of each reply, and how telling each word is (0 to 1)."""
    asking = [select(requests_of(title, body), wording) for title, body in zip(titles, bodies, strict=True)]
    flat = [sentence for sentences in asking for sentence in sentences]
    cut = iter(segmenter.cut(flat))
    subjects = [telling(found, wording.common) for found in segmenter.cut(titles)]
    requests = [
        [Request(text, telling(next(cut), wording.common), subject) for text in sentences]
        for sentences, subject in zip(asking, subjects, strict=True)
    ]
    words = [telling(found, wording.common) for found in segmenter.cut(contents)]
    seen = Counter(word for found in words for word in found)
    seen.update(word for row in requests for word in frozenset().union(*(r.words | r.subject for r in row)))
    most = np.log(2 * len(titles) + 1)
    weights = {word: float(np.log((2 * len(titles) + 1) / count) / most) for word, count in seen.items()}
    return requests, words, weights


def _with_note(found: Timeliness, signed: dt.date | None, replied: dt.datetime | None) -> Timeliness:
    """Note a date under the reply that is later than the time of the reply: the first answer was a receipt."""
    if signed is None or replied is None or signed <= replied.date():
        return found
    note = f"文末日期{signed:%Y-%m-%d}晚于答复时间{replied:%Y-%m-%d}：实质答复可能更晚"
    return replace(found, note=f"{found.note}；{note}" if found.note else note)


def _finished(item: ReplyScore, weights: PartWeights) -> ReplyScore:
    """Add the total and the reasons for what is wanting."""
    if item.kind == "unanswered":
        overdue = item.timeliness.state == "overdue"
        return replace(item, total=0.0 if overdue else None, reasons=(_lateness(item.timeliness),) if overdue else ())
    parts: dict[str, float | None] = {
        "timeliness": item.timeliness.score,
        "relevance": item.relevance.score,
        "completeness": item.completeness.score,
        "explanation": item.explanation.score,
    }
    known = {name: value for name, value in parts.items() if value is not None}
    weight = sum(getattr(weights, name) for name in known)
    total = 100 * sum(getattr(weights, name) * value for name, value in known.items()) / weight if weight else None
    reasons: list[str] = []
    if item.timeliness.state == "late":
        reasons.append(_lateness(item.timeliness))
    empty = _EMPTY.get(item.kind, "")
    if empty:
        reasons.append(empty)
    for name in PARTS[1:]:
        part: Part = getattr(item, name)
        if part.score is not None and part.score < _WEAK:
            # Of a reply that says nothing, all is wanting: only what it left open and its copies are worth a line.
            reasons += [text for text in part.missing if not empty or "未见回应" in text or "雷同" in text]
    return replace(item, total=total, reasons=tuple(dict.fromkeys(reasons)))


def _lateness(found: Timeliness) -> str:
    name = "逾期未答复" if found.state == "overdue" else "逾期答复"
    if found.late is None:
        return f"{name}（应于{found.due:%Y-%m-%d}前）"
    return f"{name}{found.late}个工作日（应于{found.due:%Y-%m-%d}前）"
