"""From a batch as filed to masked texts: the first step of routing and of training alike."""

from __future__ import annotations

import dataclasses
import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa

from pipeline.petitions.clean import clean_texts
from pipeline.petitions.features import TextFeatures, WordTable, featurise, join_text
from pipeline.petitions.mask import mask_texts
from pipeline.petitions.segment import Segmenter

#: Petitions prepared at a time where only their features are wanted.
PART_ROWS = 8_192


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


def prepare_in_parts(table: pa.Table, segmenter: Segmenter, rows: int = PART_ROWS) -> Prepared:
    """Return what `prepare` returns, but for `words`, which holds none: those of very many petitions fill the memory."""
    if table.num_rows <= rows:
        return prepare(table, segmenter)
    whole = Prepared([], [], [], [], WordTable.of([]), TextFeatures(0, {}), Counter())
    parts = []
    for start in range(0, table.num_rows, rows):
        made = prepare(table.slice(start, rows), segmenter)
        whole.titles.extend(made.titles)
        whole.bodies.extend(made.bodies)
        whole.addresses.extend(made.addresses)
        whole.channels.extend(made.channels)
        whole.masked.update(made.masked)
        parts.append(made.features)
    return dataclasses.replace(whole, features=TextFeatures.joined(parts))


def masked(table: pa.Table) -> pa.Table:
    """Return a petition batch with title, body and address cleaned and masked as all that is learnt from."""
    for name in ("title", "body", "address"):
        texts = mask_texts(clean_texts(table[name].to_pylist()))[0]
        at = table.schema.get_field_index(name)
        table = table.set_column(at, table.schema.field(at), pa.array(texts, pa.string()))
    return table


def content_hashes(table: pa.Table) -> list[str]:
    """Return 32 hex digits for each petition as filed: id, title, body, address, channel and time.

    Refusals are no part of it: they come in later, by other ways, and count in the suggestion's id (`suggestion_id`).
    """
    times = table["submitted_at"].cast(pa.int64()).to_pylist()
    rows = zip(
        table["petition_id"].to_pylist(),
        table["title"].to_pylist(),
        table["body"].to_pylist(),
        table["address"].to_pylist(),
        table["channel"].to_pylist(),
        times,
        strict=True,
    )
    return [
        hashlib.blake2b(
            "\x1f".join((*texts, str(time), "")).encode("utf-8", "surrogatepass"),  # stores keep these: the end stays
            digest_size=16,
        ).hexdigest()
        for *texts, time in rows
    ]
