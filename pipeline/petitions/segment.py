"""Word segmentation (分词) behind one interface: jieba's dictionary and algorithm, in a fast and a reference engine.

Without the hidden Markov model `rjieba` gives the same tokens as `jieba` (benchmarks/segmentation.py measures it), so
it is the engine of the hot path; jieba remains for checking and for platforms without the compiled package.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Protocol


class Segmenter(Protocol):
    """Cuts texts into words; the words of one text joined give the text back."""

    def cut(self, texts: Sequence[str]) -> list[list[str]]:
        """Return the words of each text."""
        ...


class FastSegmenter:
    """rjieba without the hidden Markov model."""

    def __init__(self, words: Iterable[str] = ()) -> None:
        import rjieba

        self._jieba = rjieba.Jieba()
        for word in words:
            self._jieba.add_word(word, None, None)

    def cut(self, texts: Sequence[str]) -> list[list[str]]:
        """Return the words of each text."""
        cut = self._jieba.cut
        return [cut(text, False) for text in texts]


class ReferenceSegmenter:
    """jieba without the hidden Markov model, on a dictionary of its own."""

    def __init__(self, words: Iterable[str] = ()) -> None:
        import jieba

        jieba.setLogLevel(60)
        self._jieba = jieba.Tokenizer()
        self._jieba.initialize()
        for word in words:
            self._jieba.add_word(word)

    def cut(self, texts: Sequence[str]) -> list[list[str]]:
        """Return the words of each text."""
        return [self._jieba.lcut(text, HMM=False) for text in texts]


def lexicon_version(words: Sequence[str]) -> str:
    """Return 12 hex digits that name a lexicon whatever the order of its words."""
    return hashlib.blake2b("\n".join(sorted(set(words))).encode(), digest_size=6).hexdigest()


@lru_cache(maxsize=4)
def segmenter(words: tuple[str, ...] = (), engine: str = "fast") -> Segmenter:
    """Return the engine for a lexicon; loading the dictionary takes 0.2 to 1 s, so engines are kept per process.

    Raises:
        ValueError: for an engine other than `fast` (rjieba) or `reference` (jieba).
    """
    if engine == "reference":
        return ReferenceSegmenter(words)
    if engine != "fast":
        msg = f"unknown segmentation engine {engine!r}: use 'fast' or 'reference'"
        raise ValueError(msg)
    try:
        return FastSegmenter(words)
    except ImportError:  # the same tokens, 10 to 16 times slower
        return ReferenceSegmenter(words)
