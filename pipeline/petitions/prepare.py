"""From a batch as filed to masked texts: the first step of routing and of training alike."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa

from pipeline.petitions.clean import clean_texts
from pipeline.petitions.features import TextFeatures, WordTable, featurise, join_text
from pipeline.petitions.mask import mask_texts
from pipeline.petitions.segment import Segmenter


@dataclass(frozen=True, slots=True)
class Prepared:
    """Masked texts of n petitions, their words and features.

    Attributes:
        titles, bodies, addresses, channels: cleaned and masked, n each.
        words: words of `join_text(title, body)` of all petitions.
        features: hashed features of the n petitions.
        masked: how often each kind of personal data was masked.
    """

    titles: list[str]
    bodies: list[str]
    addresses: list[str]
    channels: list[str]
    words: WordTable
    features: TextFeatures
    masked: Counter[str]

    @property
    def texts(self) -> list[str]:
        """Title and body of each petition, as they were segmented."""
        return [join_text(title, body) for title, body in zip(self.titles, self.bodies, strict=True)]


def prepare(table: pa.Table, segmenter: Segmenter) -> Prepared:
    """Clean, mask, segment and featurise a petition batch (`corpora.records.PETITION_SCHEMA`)."""
    masked: Counter[str] = Counter()
    columns = []
    for name in ("title", "body", "address"):
        texts, counts = mask_texts(clean_texts(table[name].to_pylist()))
        masked += counts
        columns.append(texts)
    titles, bodies, addresses = columns
    # There are few channels, and yet some exports have a number there (来电 138…).
    channels = table["channel"].to_pylist()
    filed = sorted(set(channels))
    shown = dict(zip(filed, mask_texts(clean_texts(filed))[0], strict=True))
    return masked_texts(titles, bodies, addresses, segmenter, [shown[name] for name in channels], masked)


def masked_texts(
    titles: Sequence[str],
    bodies: Sequence[str],
    addresses: Sequence[str],
    segmenter: Segmenter,
    channels: Sequence[str] | None = None,
    masked: Counter[str] | None = None,
) -> Prepared:
    """Segment and featurise n texts that are clean and masked already."""
    words = WordTable.of(segmenter.cut([join_text(title, body) for title, body in zip(titles, bodies, strict=True)]))
    return Prepared(
        list(titles),
        list(bodies),
        list(addresses),
        list(channels) if channels is not None else [""] * len(titles),
        words,
        featurise(titles, bodies, words),
        masked if masked is not None else Counter(),
    )


def content_hashes(table: pa.Table) -> list[str]:
    """Return 32 hex digits for each petition as filed: id, title, body, address, channel, time and refusals."""
    times = table["submitted_at"].cast(pa.int64()).to_pylist()
    rows = zip(
        table["petition_id"].to_pylist(),
        table["title"].to_pylist(),
        table["body"].to_pylist(),
        table["address"].to_pylist(),
        table["channel"].to_pylist(),
        times,
        table["refused_units"].to_pylist(),
        strict=True,
    )
    return [
        hashlib.blake2b(
            "\x1f".join((*texts, str(time), "\x1e".join(refused))).encode("utf-8", "surrogatepass"),
            digest_size=16,
        ).hexdigest()
        for *texts, time, refused in rows
    ]
