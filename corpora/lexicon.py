"""Words for the segmenter: the domain lexicon, and the general dictionary's frequencies."""

from __future__ import annotations

from functools import lru_cache
from importlib import resources
from pathlib import Path

import numpy as np
import numpy.typing as npt


@lru_cache(maxsize=1)
def word_frequencies() -> tuple[tuple[str, ...], npt.NDArray[np.float64]]:
    """Return the words of jieba's dictionary and their frequencies, about 349,000 of them."""
    import jieba

    path = Path(jieba.__file__).with_name("dict.txt")
    fields = path.read_text("utf-8").split()  # word, frequency, part of speech
    return tuple(fields[::3]), np.array(fields[1::3], np.float64)


@lru_cache(maxsize=1)
def petition_terms() -> tuple[str, ...]:
    """Return the bundled terms of petitions and their handling, one a line in `data/lexicon/petition_terms.txt`."""
    text = resources.files("corpora").joinpath("data/lexicon/petition_terms.txt").read_text("utf-8")
    return tuple(word for line in text.splitlines() if (word := line.split("#")[0].strip()))
