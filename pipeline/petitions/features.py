"""Hashed text features, made for a whole batch at a time.

Three blocks share one space of 2^22 buckets: character 1–3-grams of the whole text, word 1–2-grams of the whole text,
and character 1–3-grams of the title. A block is a list of (row, bucket, count); weighting is learnt elsewhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np
import numpy.typing as npt

from corpora.places import Gazetteer, PlaceMatch
from pipeline.petitions.compiled import count_character_ngrams, count_words, hash_words

BUCKET_BITS = 22
#: Longer texts are read to this many characters: 99.9 % of real petitions are shorter.
MAX_CHARACTERS = 4_000

U64 = npt.NDArray[np.uint64]
_MIX = np.uint64(0x9E3779B97F4A7C15)
_BASE = np.uint64(0xD6E8FEB86659FD93)
_SHIFT = np.uint64(64 - BUCKET_BITS)
_SEEDS = {"char": np.uint64(0x1B873593), "title": np.uint64(0xC2B2AE35)}
_WORD_SEED = np.uint64(0x85EBCA6B)


@dataclass(frozen=True, slots=True)
class Block:
    """Counts of one block: entry i says that row `rows[i]` holds bucket `buckets[i]` `counts[i]` times.

    Entries are sorted by row; a bucket comes once in a row.
    """

    rows: npt.NDArray[np.int32]
    buckets: npt.NDArray[np.int32]
    counts: npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class WordTable:
    """The m words of a batch of n texts, one text after the other, and their hashes.

    Attributes:
        words: the words.
        ends: end of each text in `words`, int64, shape (n,).
        codes: code points of the words in lower case, joined.
        bounds: end of each word in `codes`, int64, shape (m,).
        hashes: 64-bit hash of each word, equal for equal words in lower case.
    """

    words: list[str]
    ends: npt.NDArray[np.int64]
    codes: npt.NDArray[np.uint32]
    bounds: npt.NDArray[np.int64]
    hashes: U64

    @classmethod
    def of(cls, texts: Sequence[Sequence[str]]) -> WordTable:
        """Return the table of segmented texts."""
        words = list(chain.from_iterable(texts))
        codes, bounds = _lowered(words)
        return cls(words, _ends(texts), codes, bounds, hash_words(codes, bounds, _WORD_SEED, _BASE, _MIX))


@dataclass(frozen=True, slots=True)
class TextFeatures:
    """The blocks of a batch of `size` texts."""

    size: int
    blocks: dict[str, Block]

    def part(self, start: int, stop: int) -> TextFeatures:
        """Return the features of the texts start … stop - 1, renumbered from 0; nothing but row numbers is copied."""
        blocks = {}
        for name, block in self.blocks.items():
            some = slice(*np.searchsorted(block.rows, (start, stop)).tolist())
            blocks[name] = Block(block.rows[some] - np.int32(start), block.buckets[some], block.counts[some])
        return TextFeatures(stop - start, blocks)

    @classmethod
    def joined(cls, parts: list[TextFeatures]) -> TextFeatures:
        """Return the features of the texts of all parts, one part after the other; the list is emptied on the way."""
        starts = np.cumsum([0, *(part.size for part in parts)])
        names = list(parts[0].blocks)
        held = {name: [part.blocks[name] for part in parts] for name in names}
        parts.clear()
        blocks = {}
        for name in names:
            some = held.pop(name)
            rows = np.concatenate([block.rows + np.int32(at) for block, at in zip(some, starts[:-1].tolist(), strict=True)])
            found, counts = np.concatenate([b.buckets for b in some]), np.concatenate([b.counts for b in some])
            blocks[name] = Block(rows, found, counts)
            some.clear()
        return cls(int(starts[-1]), blocks)

    def with_places(self, places: Sequence[Sequence[PlaceMatch]], gazetteer: Gazetteer) -> TextFeatures:
        """Return the features with one more block, `place`: the places named in each text, those above them, their kinds.

        A letter names an estate or a street; which town or district it lies in, and whether that is a town (镇) or a
        sub-district (街道), decides who is responsible, and no letter says it.
        """
        known: dict[tuple[str, ...], list[str]] = {}
        tokens: list[list[str]] = []
        for row in places:
            found: list[str] = []
            for match in row:
                if match.codes not in known:
                    above = [{code, *gazetteer.ancestors(code)} for code in match.codes]
                    kinds = {gazetteer[code].kind for code in match.codes}
                    known[match.codes] = [*sorted(set.intersection(*above)), *(kinds if len(kinds) == 1 else ())]
                found += known[match.codes]
            tokens.append(found)
        rows = np.repeat(np.arange(self.size, dtype=np.int32), [len(found) for found in tokens])
        hashed = buckets(word_hashes(list(chain.from_iterable(tokens)))).astype(np.int32)
        pairs, counts = np.unique(np.stack([rows, hashed]), axis=1, return_counts=True)
        return TextFeatures(self.size, self.blocks | {"place": Block(pairs[0], pairs[1], counts.astype(np.float32))})


def featurise(titles: Sequence[str], bodies: Sequence[str], words: WordTable) -> TextFeatures:
    """Return the features of a batch.

    Args:
        titles: n masked titles, "" where there is none.
        bodies: n masked bodies.
        words: the words of the n texts as `join_text` gives them.
    """
    titles = [title.lower() for title in titles]
    texts = [join_text(title, body).lower() for title, body in zip(titles, bodies, strict=True)]
    return TextFeatures(
        len(texts),
        {
            "char": _character_ngrams(texts, _SEEDS["char"]),
            "word": _block(*count_words(words.hashes, words.ends, _MIX, _BASE, _SHIFT)),
            "title": _character_ngrams(titles, _SEEDS["title"]),
        },
    )


def join_text(title: str, body: str) -> str:
    """Return the text that is classified: title, line break, body, cut at MAX_CHARACTERS."""
    return f"{title}\n{body}"[:MAX_CHARACTERS]


def word_hashes(words: Sequence[str]) -> U64:
    """Return a 64-bit hash of each word, equal for equal words in lower case."""
    return hash_words(*_lowered(words), _WORD_SEED, _BASE, _MIX)


def _ends(texts: Sequence[Sequence[str]]) -> npt.NDArray[np.int64]:
    return np.cumsum(np.fromiter(map(len, texts), np.int64, len(texts)))


def _lowered(words: Sequence[str]) -> tuple[npt.NDArray[np.uint32], npt.NDArray[np.int64]]:
    """Return the code points of all words in lower case, joined, and the end of each word."""
    joined = "".join(words)
    lowered = joined.replace("Σ", "σ").lower()  # Σ alone has a lower case that depends on what follows
    if len(lowered) != len(joined):  # a letter whose lower case is longer (İ)
        words = [word.replace("Σ", "σ").lower() for word in words]
        lowered = "".join(words)
    return _code_points(lowered), _ends(words)


def _code_points(text: str) -> npt.NDArray[np.uint32]:
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)


def _character_ngrams(texts: Sequence[str], seed: np.uint64) -> Block:
    codes = _code_points("".join(texts))
    return _block(*count_character_ngrams(codes, _ends(texts), seed, _MIX, _BASE, _SHIFT))


def buckets(hashes: U64) -> npt.NDArray[np.int64]:
    """Return the bucket of each 64-bit hash, 0 to 2^BUCKET_BITS - 1."""
    return ((hashes * _MIX) >> _SHIFT).astype(np.int64)


def _block(
    keys: npt.NDArray[np.int32], counts: npt.NDArray[np.float32], ends: npt.NDArray[np.int64]
) -> Block:
    return Block(np.repeat(np.arange(len(ends), dtype=np.int32), np.diff(ends, prepend=0)), keys, counts)


def character_ngram_buckets(text: str, block: str) -> list[npt.NDArray[np.int64]]:
    """Return the buckets of the 1-, 2- and 3-grams of a text by the place they begin at, for the block `char` or `title`.

    The same buckets as `featurise` counts, place by place: for explanations, not for speed. A text whose lower case is
    longer than itself (İ) may be off by a place from there on.
    """
    with np.errstate(over="ignore"):
        codes = _code_points(text.lower()).astype(np.uint64)
        first = (codes + _SEEDS[block]) * _MIX
        second = first[:-1] * _BASE + codes[1:] * _MIX
        third = second[:-1] * _BASE + codes[2:] * _MIX
        return [((hashed * _MIX) >> _SHIFT).astype(np.int64) for hashed in (first, second, third)]


def word_buckets(words: Sequence[str]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return the buckets of m words and of their m - 1 neighbouring pairs, as `featurise` counts them."""
    hashes = word_hashes(words)
    with np.errstate(over="ignore"):
        return buckets(hashes), buckets((hashes[:-1] * _MIX + hashes[1:]) * _BASE)
