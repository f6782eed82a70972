"""Hashed text features, made for a whole batch at a time with numpy.

Three blocks share one space of 2^22 buckets: character 1–3-grams of the whole text, word 1–2-grams of the whole text,
and character 1–3-grams of the title. A block is a list of (row, bucket, count); weighting is learnt elsewhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np
import numpy.typing as npt

BUCKET_BITS = 22
#: Longer texts are read to this many characters: 99.9 % of real petitions are shorter.
MAX_CHARACTERS = 4_000

U64 = npt.NDArray[np.uint64]
_MIX = np.uint64(0x9E3779B97F4A7C15)
_BASE = np.uint64(0xD6E8FEB86659FD93)  # odd, so it has an inverse modulo 2^64
_BASE_INVERSE = np.uint64(pow(0xD6E8FEB86659FD93, -1, 1 << 64))
_SHIFT = np.uint64(64 - BUCKET_BITS)
_SEEDS = {"char": np.uint64(0x1B873593), "title": np.uint64(0xC2B2AE35)}
_WORD_SEED = np.uint64(0x85EBCA6B)


@dataclass(frozen=True, slots=True)
class Block:
    """Counts of one block: entry i says that row `rows[i]` holds bucket `buckets[i]` `counts[i]` times.

    Entries are sorted by row, then bucket, and unique.
    """

    rows: npt.NDArray[np.int32]
    buckets: npt.NDArray[np.int32]
    counts: npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class WordTable:
    """The words of a batch, one text after the other, with the hash of each and of each neighbouring pair.

    Attributes:
        words: the m words.
        rows: text of each word, int32, ascending.
        hashes: 64-bit hash of each word, equal for equal words in lower case.
        pairs: position of the first word of each pair within a text.
        pair_hashes: 64-bit hash of each pair.
    """

    words: list[str]
    rows: npt.NDArray[np.int32]
    hashes: U64
    pairs: npt.NDArray[np.int64]
    pair_hashes: U64

    @classmethod
    def of(cls, texts: Sequence[Sequence[str]]) -> WordTable:
        """Return the table of segmented texts."""
        words = list(chain.from_iterable(texts))
        rows = np.repeat(np.arange(len(texts), dtype=np.int32), np.fromiter(map(len, texts), np.int64, len(texts)))
        hashes = word_hashes(words)
        pairs = np.flatnonzero(rows[:-1] == rows[1:])
        return cls(words, rows, hashes, pairs, (hashes[pairs] * _MIX + hashes[pairs + 1]) * _BASE)


@dataclass(frozen=True, slots=True)
class TextFeatures:
    """The blocks of a batch of `size` texts."""

    size: int
    blocks: dict[str, Block]


def featurise(titles: Sequence[str], bodies: Sequence[str], words: WordTable) -> TextFeatures:
    """Return the features of a batch.

    Args:
        titles: n masked titles, "" where there is none.
        bodies: n masked bodies.
        words: the words of the n texts as `join_text` gives them.
    """
    titles = [title.lower() for title in titles]
    texts = [join_text(title, body).lower() for title, body in zip(titles, bodies, strict=True)]
    word_rows = np.concatenate([words.rows, words.rows[words.pairs]])
    return TextFeatures(
        len(texts),
        {
            "char": _count(*_character_ngrams(texts, _SEEDS["char"])),
            "word": _count(word_rows, buckets(np.concatenate([words.hashes, words.pair_hashes]))),
            "title": _count(*_character_ngrams(titles, _SEEDS["title"])),
        },
    )


def join_text(title: str, body: str) -> str:
    """Return the text that is classified: title, line break, body, cut at MAX_CHARACTERS."""
    return f"{title}\n{body}"[:MAX_CHARACTERS]


def _codes(texts: Sequence[str]) -> tuple[U64, npt.NDArray[np.int32]]:
    """Return the code points of all texts one after the other, and the row of each."""
    lengths = np.fromiter(map(len, texts), np.int64, len(texts))
    raw = "".join(texts).encode("utf-32-le", "surrogatepass")
    codes = np.frombuffer(raw, np.uint32).astype(np.uint64)
    return codes, np.repeat(np.arange(len(texts), dtype=np.int32), lengths)


def _character_ngrams(texts: Sequence[str], seed: np.uint64) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int64]]:
    codes, rows = _codes(texts)
    first = (codes + seed) * _MIX
    second = first[:-1] * _BASE + codes[1:] * _MIX
    third = second[:-1] * _BASE + codes[2:] * _MIX
    within2 = rows[:-1] == rows[1:]
    within3 = rows[:-2] == rows[2:]
    hashes = np.concatenate([first, second[within2], third[within3]])
    owner = np.concatenate([rows, rows[:-1][within2], rows[:-2][within3]])
    return owner, buckets(hashes)


def word_hashes(words: Sequence[str]) -> U64:
    """Return a 64-bit hash of each word, equal for equal words in lower case."""
    # A word's hash is the difference of two prefix sums of code × BASE^position, divided by BASE^start.
    joined = "".join(words)
    lowered = joined.replace("Σ", "σ").lower()  # Σ alone has a lower case that depends on what follows
    if len(lowered) != len(joined):  # a letter whose lower case is longer (İ)
        words = [word.replace("Σ", "σ").lower() for word in words]
        lowered = "".join(words)
    lengths = np.fromiter(map(len, words), np.int64, len(words))
    codes = np.frombuffer(lowered.encode("utf-32-le", "surrogatepass"), np.uint32).astype(np.uint64)
    ends = np.cumsum(lengths)
    starts = ends - lengths
    powers = np.cumprod(np.full(len(codes) + 1, _BASE, np.uint64))
    inverses = np.cumprod(np.full(len(codes) + 1, _BASE_INVERSE, np.uint64))
    prefix = np.concatenate([np.zeros(1, np.uint64), np.cumsum((codes + _WORD_SEED) * powers[: len(codes)])])
    return ((prefix[ends] - prefix[starts]) * inverses[starts]) * _MIX


def buckets(hashes: U64) -> npt.NDArray[np.int64]:
    """Return the bucket of each 64-bit hash, 0 to 2^BUCKET_BITS - 1."""
    return ((hashes * _MIX) >> _SHIFT).astype(np.int64)


def _count(rows: npt.NDArray[np.int32], at: npt.NDArray[np.int64]) -> Block:
    keys = (rows.astype(np.int64) << BUCKET_BITS) | at
    keys.sort()
    first = np.ones(len(keys), bool)
    np.not_equal(keys[1:], keys[:-1], out=first[1:])
    starts = np.flatnonzero(first)
    counts = np.diff(starts, append=len(keys)).astype(np.float32)
    keys = keys[starts]
    return Block((keys >> BUCKET_BITS).astype(np.int32), (keys & ((1 << BUCKET_BITS) - 1)).astype(np.int32), counts)
