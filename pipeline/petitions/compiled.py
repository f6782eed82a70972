"""Loops that run once for every character or word of a batch, compiled to machine code by numba.

Whole-array numpy passes over the same data are bound by memory: each of them writes what the next one reads. A loop
keeps a petition's n-grams in the nearest cache. Compiled code is kept beside the modules (or in the user's cache), so
only the first process after an installation compiles.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar, cast

import numba
import numpy as np
import numpy.typing as npt

F = TypeVar("F", bound=Callable[..., object])
I32 = npt.NDArray[np.int32]
I64 = npt.NDArray[np.int64]
F32 = npt.NDArray[np.float32]
U32 = npt.NDArray[np.uint32]
U64 = npt.NDArray[np.uint64]


def kernel(function: F) -> F:
    """Compile a function of arrays and numbers; it releases the interpreter lock while it runs."""
    return cast("F", numba.njit(cache=True, nogil=True, error_model="numpy")(function))


_EMPTY = np.int32(-1)


@kernel
def _slots(most: int) -> I32:
    """Return an empty table for counting up to `most` different keys."""
    size = 64
    while size < 2 * most:
        size *= 2
    return np.full(size, _EMPTY, np.int32)


@kernel
def _add(key: np.int32, slots: I32, keys: I32, counts: F32, start: int, end: int) -> int:
    """Count a key among the entries [start, end) of the output; return the new end."""
    mask = len(slots) - 1
    at = (key ^ (key >> 11)) & mask
    while True:
        entry = slots[at]
        if entry < start:  # empty, or left from the text before
            slots[at] = end
            keys[end] = key
            counts[end] = 1
            return end + 1
        if keys[entry] == key:
            counts[entry] += 1
            return end
        at = (at + 1) & mask


@kernel
def count_character_ngrams(
    codes: U32, ends: I64, seed: np.uint64, mix: np.uint64, base: np.uint64, shift: np.uint64
) -> tuple[I32, F32, I64]:
    """Count the character 1–3-grams of each text by bucket.

    Args:
        codes: code points of all texts, one after the other.
        ends: end of each text in `codes`, shape (n,).
        seed, mix, base, shift: constants of the hash.

    Returns:
        Bucket and count of each entry, in order of first occurrence, and the end of each text's entries, shape (n,).
    """
    longest, before = 0, 0
    for end in ends:
        longest = max(longest, end - before)
        before = end
    keys = np.empty(3 * len(codes), np.int32)
    counts = np.empty(3 * len(codes), np.float32)
    bounds = np.empty(len(ends), np.int64)
    slots = _slots(3 * longest)
    filled, at = 0, 0
    for row in range(len(ends)):
        start = filled
        begin = at
        first = second = np.uint64(0)
        while at < ends[row]:
            code = np.uint64(codes[at]) * mix
            if at >= begin + 2:
                filled = _add(np.int32(((second * base + code) * mix) >> shift), slots, keys, counts, start, filled)
            if at >= begin + 1:
                second = first * base + code
                filled = _add(np.int32((second * mix) >> shift), slots, keys, counts, start, filled)
            first = (np.uint64(codes[at]) + seed) * mix
            filled = _add(np.int32((first * mix) >> shift), slots, keys, counts, start, filled)
            at += 1
        bounds[row] = filled
    return keys[:filled].copy(), counts[:filled].copy(), bounds


@kernel
def count_words(hashes: U64, ends: I64, mix: np.uint64, base: np.uint64, shift: np.uint64) -> tuple[I32, F32, I64]:
    """Count the words and pairs of neighbouring words of each text by bucket; see `count_character_ngrams`.

    Args:
        hashes: hash of each word of all texts.
        ends: end of each text in `hashes`, shape (n,).
        mix, base, shift: constants of the hash.
    """
    longest, before = 0, 0
    for end in ends:
        longest = max(longest, end - before)
        before = end
    keys = np.empty(2 * len(hashes), np.int32)
    counts = np.empty(2 * len(hashes), np.float32)
    bounds = np.empty(len(ends), np.int64)
    slots = _slots(2 * longest)
    filled, at = 0, 0
    for row in range(len(ends)):
        start = filled
        while at < ends[row]:
            filled = _add(np.int32((hashes[at] * mix) >> shift), slots, keys, counts, start, filled)
            if at + 1 < ends[row]:
                pair = (hashes[at] * mix + hashes[at + 1]) * base
                filled = _add(np.int32((pair * mix) >> shift), slots, keys, counts, start, filled)
            at += 1
        bounds[row] = filled
    return keys[:filled].copy(), counts[:filled].copy(), bounds


@kernel
def hash_words(codes: U32, ends: I64, seed: np.uint64, base: np.uint64, mix: np.uint64) -> U64:
    """Return the 64-bit hash of each word: Σ (code + seed) × base^place, mixed.

    Args:
        codes: code points of all words, one after the other.
        ends: end of each word in `codes`.
        seed, base, mix: constants of the hash.
    """
    out = np.empty(len(ends), np.uint64)
    at = 0
    for word in range(len(ends)):
        total, power = np.uint64(0), np.uint64(1)
        while at < ends[word]:
            total += (np.uint64(codes[at]) + seed) * power
            power *= base
            at += 1
        out[word] = total * mix
    return out


@kernel
def sketch_words(
    codes: U32, bounds: I64, hashes: U64, ends: I64, weights: F32, unseen: np.float32, shift: np.uint64, width: int
) -> tuple[U32, F32]:
    """Return the `width` most telling words of each text and how telling they are.

    A word is a run of two and more Chinese characters, or two single ones in a row (names that the dictionary does not
    know fall apart into these).

    Args:
        codes, bounds, hashes, ends: words, as in `pipeline.petitions.features.WordTable`.
        weights: information content of a word, by the upper bits of its hash; 0 for words that mark nothing.
        unseen: the weight from which on a word counts as a name: the dictionary lacks it.
        shift: bits by which a hash is shifted to look its weight up.
        width: words per text.

    Returns:
        Words as 32 bits of hash, the last of them set for names, shape (n, width); 0 where there are fewer. And their
        weights × (1 + ln count), of the same shape.
    """
    longest, before = 0, 0
    for end in ends:
        longest = max(longest, end - before)
        before = end
    keys = np.empty(2 * longest, np.int32)
    counts = np.empty(2 * longest, np.float32)
    worth = np.empty(2 * longest, np.float32)
    words = np.zeros((len(ends), width), np.uint32)
    values = np.zeros((len(ends), width), np.float32)
    at = 0
    for row in range(len(ends)):
        slots = _slots(2 * (ends[row] - at))
        filled = 0
        last = np.float32(0)  # weight of the single character before, 0 if there is none
        while at < ends[row]:
            start = bounds[at - 1] if at else np.int64(0)
            weight = weights[np.int64(hashes[at] >> shift)]
            usable = 0x4E00 <= codes[start] <= 0x9FFF and weight > 0
            if usable and bounds[at] - start > 1:
                key = np.int32((hashes[at] >> np.uint64(33)) & np.uint64(0x7FFFFFFF))
                filled = _tell(key, weight, weight >= unseen, slots, keys, counts, worth, filled)
                last = np.float32(0)
            elif usable:
                if last > 0:
                    pair = hashes[at - 1] * np.uint64(31) + hashes[at]
                    key = np.int32((pair >> np.uint64(33)) & np.uint64(0x7FFFFFFF))
                    value = min(last, weight) * np.float32(1.2)
                    filled = _tell(key, value, True, slots, keys, counts, worth, filled)
                last = weight
            else:
                last = np.float32(0)
            at += 1
        count = 0
        for entry in range(filled):
            word = np.uint32(keys[entry])
            value = worth[entry] * np.float32(1 + np.log(counts[entry]))
            place = count
            while place > 0 and (
                values[row, place - 1] < value or (values[row, place - 1] == value and words[row, place - 1] > word)
            ):
                if place < width:
                    values[row, place] = values[row, place - 1]
                    words[row, place] = words[row, place - 1]
                place -= 1
            if place < width:
                values[row, place] = value
                words[row, place] = word
                count = min(count + 1, width)
    return words, values


@kernel
def _tell(
    key: np.int32, weight: np.float32, name: bool, slots: I32, keys: I32, counts: F32, worth: F32, filled: int
) -> int:
    """Count a word of a sketch and note its weight; return how many there are."""
    # The lowest bit says whether it is a name; the next is set so that no word is 0.
    key = np.int32((key << 1) | 2 | name)
    end = _add(key, slots, keys, counts, 0, filled)
    if end > filled:
        worth[filled] = weight
    return end


@kernel
def sketch_similarity(words: U32, weights: F32, left: I64, right: I64, name: np.uint32, unnamed: np.float32) -> F32:
    """Return the cosine of pairs of sketches, times `unnamed` where the two share no name.

    Args:
        words, weights: sketches, shape (n, width); word 0 is none.
        left, right: the two petitions of each pair.
        name: bit of a word that says it is a name.
        unnamed: worth of a similarity without a shared name.
    """
    out = np.empty(len(left), np.float32)
    for pair in range(len(left)):
        a, b = left[pair], right[pair]
        total, named = np.float32(0), False
        for i in range(words.shape[1]):
            word = words[a, i]
            if word == 0:
                break
            for j in range(words.shape[1]):
                if words[b, j] == word:
                    total += weights[a, i] * weights[b, j]
                    named |= (word & name) > 0
                    break
        out[pair] = total if named else total * unnamed
    return out
