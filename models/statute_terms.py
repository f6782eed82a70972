"""Terms of statutes and questions: words and character bigrams as 64-bit keys, and the loops over their postings."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from pipeline.petitions.compiled import kernel
from pipeline.petitions.features import WordTable
from pipeline.petitions.segment import Segmenter

I32 = npt.NDArray[np.int32]
I64 = npt.NDArray[np.int64]
F32 = npt.NDArray[np.float32]
U64 = npt.NDArray[np.uint64]

#: The two lowest bits of a key say what it is: so the same characters as word and as bigram are two terms.
WORD, BIGRAM, HEADING = np.uint64(0), np.uint64(1), np.uint64(2)
_TAG_BITS = np.uint64(2)
_CODE_BITS = np.uint64(21)


def _letters() -> npt.NDArray[np.bool_]:
    """Return which code points count: Chinese characters, letters and digits (all but Chinese in ASCII)."""
    table = np.zeros(0x110000, np.bool_)
    for first, last in ((0x3400, 0x9FFF), (0x20000, 0x3FFFF), (0x30, 0x39), (0x41, 0x5A), (0x61, 0x7A)):
        table[first : last + 1] = True
    table[ord("〇")] = True
    return table


_LETTERS = _letters()


def word_terms(texts: Sequence[str], segmenter: Segmenter) -> tuple[I32, U64]:
    """Return the words of texts, punctuation left out: the text of each, from 0, and its key."""
    # A lone surrogate is no text to the segmenter.
    table = WordTable.of(segmenter.cut([text.encode("utf-8", "replace").decode() for text in texts]))
    starts = np.concatenate([np.zeros(1, np.int64), table.bounds[:-1]])[: len(table.words)]
    rows = np.repeat(np.arange(len(texts), dtype=np.int32), np.diff(table.ends, prepend=0))
    keep = _LETTERS[table.codes[starts]] if len(table.words) else np.zeros(0, np.bool_)
    return rows[keep], (table.hashes[keep] << _TAG_BITS) | WORD


def bigram_terms(texts: Sequence[str]) -> tuple[I32, U64]:
    """Return the pairs of neighbouring characters, none across punctuation: the text of each, from 0, and its key."""
    # A separator after each text keeps bigrams within it; lower() of İ alone grows, so lengths are taken after it.
    lowered = [text.lower() for text in texts]
    codes = np.frombuffer("\n".join([*lowered, ""]).encode("utf-32-le", "surrogatepass"), np.uint32)
    letter = _LETTERS[codes]
    first = np.flatnonzero(letter[:-1] & letter[1:])
    ends = np.cumsum(np.fromiter((len(text) + 1 for text in lowered), np.int64, len(lowered)))
    rows = np.searchsorted(ends, first, side="right").astype(np.int32)
    wide = codes.astype(np.uint64)
    return rows, (((wide[first] << _CODE_BITS) | wide[first + 1]) << _TAG_BITS) | BIGRAM


def tagged(keys: U64, tag: np.uint64) -> U64:
    """Return the keys with another tag."""
    return (keys >> _TAG_BITS << _TAG_BITS) | tag


def is_word(keys: U64) -> npt.NDArray[np.bool_]:
    """Return which keys are words."""
    return (keys & np.uint64(3)) == WORD


def weigh(
    rows: I32, keys: U64, documents: int, k1: float, b: float, weight: float
) -> tuple[U64, I64, I32, F32]:
    """Return BM25 postings: distinct keys, where each one's postings begin (and the end), documents, weights.

    Args:
        rows: document of each occurrence of a term, in any order.
        keys: term of each occurrence.
        documents: number of documents.
        k1: as in BM25 (Robertson and Zaragoza 2009); idf is ln(1 + (n - df + ½) / (df + ½)), never below 0.
        b: as in BM25.
        weight: all weights are multiplied by it.
    """
    vocabulary, terms = np.unique(keys, return_inverse=True)
    cells, counts = np.unique(terms.astype(np.int64) * documents + rows, return_counts=True)
    term, document = cells // documents, (cells % documents).astype(np.int32)
    df = np.bincount(term, minlength=len(vocabulary))
    idf = np.log(1 + (documents - df + 0.5) / (df + 0.5))
    length = np.bincount(rows, minlength=documents)
    norm = k1 * (1 - b + b * length / max(length.sum() / max(documents, 1), 1e-9))
    weights = weight * idf[term] * counts * (k1 + 1) / (counts + norm[document])
    return vocabulary, np.concatenate([np.zeros(1, np.int64), np.cumsum(df)]), document, weights.astype(np.float32)


@kernel
def best_articles(
    asked: I64, terms: I32, worth: F32, starts: I64, documents: I32, weights: F32, laws: I64, prior: F32,
    share: np.float32, most: int,
) -> tuple[I32, F32]:  # fmt: skip
    """Return the best articles of each of n questions, best first: numbers (-1 where there are fewer) and scores.

    An article's score is the sum of its terms' weights plus `share` of the best sum in its law, times its prior: a law
    that holds one good article is the law for the others too. Articles that hold no term are never returned.

    Args:
        asked: where each question's terms begin, and the end, shape (n + 1,).
        terms: of all questions, one question after the other.
        worth: how much each of them counts.
        starts: where each term's postings begin, and the end.
        documents: the articles of all postings.
        weights: of all postings.
        laws: where the articles of each law begin, and the end.
        prior: of each law; 0 leaves its articles out.
        share: of the law's best.
        most: articles per question.
    """
    n = len(asked) - 1
    found = np.full((n, most), -1, np.int32)
    scores = np.zeros((n, most), np.float32)
    total = np.zeros(laws[-1], np.float32)
    for row in range(n):
        total[:] = 0
        for at in range(asked[row], asked[row + 1]):
            factor = worth[at]
            for place in range(starts[terms[at]], starts[terms[at] + 1]):
                total[documents[place]] += factor * weights[place]
        count = 0
        for law in range(len(laws) - 1):
            if prior[law] <= 0:
                continue
            top = np.float32(0)
            for document in range(laws[law], laws[law + 1]):
                top = max(top, total[document])
            bonus = share * top
            if count == most and (top + bonus) * prior[law] <= scores[row, most - 1]:
                continue
            for document in range(laws[law], laws[law + 1]):
                if total[document] <= 0:
                    continue
                value = (total[document] + bonus) * prior[law]
                if count < most or value > scores[row, most - 1]:
                    place = min(count, most - 1)
                    while place > 0 and scores[row, place - 1] < value:
                        scores[row, place] = scores[row, place - 1]
                        found[row, place] = found[row, place - 1]
                        place -= 1
                    scores[row, place] = value
                    found[row, place] = document
                    count = min(count + 1, most)
    return found, scores
