"""Search of statutes: which articles a question or a measure is about (法条检索).

BM25 over words and over character bigrams of title, headings and article together, and over bigrams of the headings
once more; a share of the best article of the same law; a prior by rank and size of the law. The constants below were
chosen on STARD (benchmarks/statute_search.py) with both halves of its questions in sight and agree on both. Pseudo
relevance feedback, neighbouring articles, stop words and a boost of the title were tried there too and did not help.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import groupby, islice
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp
from safetensors.numpy import load_file, save_file

from corpora.legal import Article, ArticleNumber, Law, Rank, Version
from models.statute_terms import HEADING, best_articles, bigram_terms, is_word, tagged, weigh, word_terms
from pipeline.petitions.segment import Segmenter, segmenter

Arrays = dict[str, npt.NDArray[Any]]

_ARRAYS, _LAWS = "postings.safetensors", "laws.json"
_FORMAT = "minqing/statute-index/1"
_COUNTRY = "中华人民共和国"
#: k1, b and weight of the fields.
_TEXT = (1.6, 0.75, 1.0)
_HEADING = (1.2, 0.6, 0.4)
_LAW_SHARE = np.float32(0.3)
#: Residents' questions are answered by laws far oftener than by what ranks below them; by how much an article counts.
_PRIOR = {
    Rank.ADMINISTRATIVE_REGULATION: 0.75, Rank.SUPERVISORY_REGULATION: 0.75, Rank.JUDICIAL_INTERPRETATION: 0.8,
    Rank.LOCAL_REGULATION: 0.5, Rank.LOCAL_RULE: 0.5, Rank.DEPARTMENT_RULE: 0.6,
}  # fmt: skip
#: How much more an article of the longest law counts than one of a law with a single article.
_SIZE = 0.2
#: Learnt words: seen together this often, this much oftener than by chance (ln), in at most this share of the articles.
_TOGETHER, _ASSOCIATION, _COMMON = 2, 1.5, 0.05
#: What all learnt words of a word weigh beside it, and how many there are at most.
_LEARNT_WEIGHT, _LEARNT_MOST = 0.3, 16
_BATCH = 1024


@dataclass(frozen=True, slots=True)
class Hit:
    """An article that was found; scores compare within one question only."""

    title: str
    number: ArticleNumber
    score: float
    version_id: str


@dataclass(frozen=True, slots=True)
class BasisSuggestion:
    """An article that might be the basis of a measure: what a search found, which no one has checked.

    Attributes:
        rank, territory: of the law; None and "" where the index was built without laws.
        adopted, effective: days of the version, in ISO form; "" where not known.
        note: that it is a suggestion, in words for the reader.
    """

    law: str
    article: ArticleNumber
    version_id: str
    score: float
    rank: Rank | None
    territory: str
    adopted: str
    effective: str
    note: str = "检索建议，未经核实，不构成依据认定"


@dataclass(frozen=True, slots=True)
class _Group:
    """The articles of one version, as they stand together in the index."""

    title: str
    version_id: str
    rank: str = ""
    territory: str = ""
    adopted: str = ""
    effective: str = ""


class StatuteIndex:
    """Articles by their terms. Built once, saved as plain arrays; searching needs no texts.

    Attributes:
        arrays: `keys` (distinct terms, ascending), `starts`, `documents`, `weights` (postings), `laws` (where the articles
            of each group begin), `numbers` (articles, 2), and `from` (keys of residents' words), `learnt_starts`, `learnt`
            (the statutes' terms for each), `learnt_weights`; these empty unless `learn` was called.
    """

    def __init__(self, arrays: Arrays, groups: Sequence[Mapping[str, str]], cutter: Segmenter | None = None) -> None:
        self.arrays = arrays
        self._groups = [_Group(**group) for group in groups]
        self._by_version = {group.version_id: group for group in self._groups}
        self._segmenter = cutter or segmenter()
        self._prior = _priors(self._groups, np.diff(arrays["laws"]))

    def __len__(self) -> int:
        return len(self.arrays["numbers"])

    @classmethod
    def build(cls, articles: Iterable[tuple[str, Article]], laws: Iterable[Law] = ()) -> StatuteIndex:
        """Index articles, each with the title of its law; those of one version must follow each other.

        Args:
            articles: titles and articles, as of `Statutes.texts()`.
            laws: tell rank, territory and dates of the versions; without them all articles have the same prior.

        Raises:
            ValueError: if the articles of a version come in two places.
        """
        known = {version.version_id: (law, version) for law in laws for version in law.versions}
        groups: list[_Group] = []
        bounds, numbers, texts, headings = [0], [], [], []
        for (title, version_id), members in groupby(articles, lambda pair: (pair[0], pair[1].version_id)):
            plain = title.replace(_COUNTRY, "")
            for _, article in members:
                numbers.append((article.number.number, article.number.suffix))
                headings.append(article.heading)
                texts.append(f"{plain}\n{article.heading}\n{article.text}")
            bounds.append(len(numbers))
            groups.append(_group(title, version_id, known.get(version_id)))
        if len({(group.title, group.version_id) for group in groups}) < len(groups):
            msg = "articles of one version must follow each other"
            raise ValueError(msg)
        arrays = _postings(texts, headings) | _learnt() | {
            "laws": np.array(bounds, np.int64), "numbers": np.array(numbers, np.int32).reshape(-1, 2)
        }  # fmt: skip
        return cls(arrays, [_plain(group) for group in groups])

    @classmethod
    def of(cls, texts: Iterable[tuple[Law, Version, Sequence[Article]]]) -> StatuteIndex:
        """Index what `Statutes.texts()` gives, with ranks, territories and dates."""
        held = list(texts)
        return cls.build(((law.title, each) for law, _, members in held for each in members), [law for law, _, _ in held])

    def search(self, queries: Sequence[str], k: int, territory: str | None = None) -> list[list[Hit]]:
        """Return the k best articles for each query, best first; fewer where fewer share a word with it.

        Args:
            queries: questions or measures in words.
            k: at least 1.
            territory: leave out what is in force only elsewhere (浙江/杭州: national, 浙江, 浙江/杭州); None: search all.
        """
        out: list[list[Hit]] = []
        if not len(self):
            return [[] for _ in queries]
        for found, scores in self._ranked(queries, k, territory):
            group = np.searchsorted(self.arrays["laws"], found, side="right") - 1
            number = self.arrays["numbers"][found]
            for row in range(len(found)):
                out.append(
                    [
                        Hit(self._groups[g].title, ArticleNumber(*n), score, self._groups[g].version_id)
                        for g, n, at, score in zip(
                            group[row].tolist(), number[row].tolist(), found[row].tolist(), scores[row].tolist(), strict=True
                        )
                        if at >= 0
                    ]
                )  # fmt: skip
        return out

    def learn(
        self, questions: Sequence[str], answers: Sequence[Collection[tuple[str, ArticleNumber]]]
    ) -> StatuteIndex:
        """Return this index with the statutes' words for residents' words, learnt from answered questions.

        Args:
            questions: in residents' words.
            answers: the articles of each, by title of the law and number; what the index does not hold is passed over.
        """
        rows = self._rows({answer for each in answers for answer in each})
        pairs = [(q, rows[a]) for q, each in enumerate(answers) for a in each if a in rows]
        learnt = _associations(word_terms(questions, self._segmenter), len(questions), pairs, self.arrays, len(self))
        return StatuteIndex(self.arrays | learnt, [_plain(group) for group in self._groups], self._segmenter)

    def save(self, folder: Path) -> None:
        """Write the index into a folder, which is made."""
        folder.mkdir(parents=True, exist_ok=True)
        save_file({name: np.ascontiguousarray(array) for name, array in self.arrays.items()}, folder / _ARRAYS)
        plain = {"format": _FORMAT, "groups": [_plain(group) for group in self._groups]}
        (folder / _LAWS).write_text(json.dumps(plain, ensure_ascii=False), "utf-8")

    @classmethod
    def load(cls, folder: Path) -> StatuteIndex:
        """Read an index that `save` wrote.

        Raises:
            OSError: if it cannot be read.
            ValueError: if it is of another format.
        """
        plain = json.loads((folder / _LAWS).read_text("utf-8"))
        if plain.get("format") != _FORMAT:
            msg = f"{folder}: not of format {_FORMAT}; build the index again"
            raise ValueError(msg)
        return cls(load_file(folder / _ARRAYS), plain["groups"])

    def suggestion(self, hit: Hit) -> BasisSuggestion:
        """Return a hit as a suggestion of a basis."""
        group = self._by_version[hit.version_id]
        rank = Rank(group.rank) if group.rank else None
        return BasisSuggestion(
            hit.title, hit.number, hit.version_id, hit.score, rank, group.territory, group.adopted, group.effective
        )

    def _rows(self, wanted: set[tuple[str, ArticleNumber]]) -> dict[tuple[str, ArticleNumber], int]:
        titles = {title for title, _ in wanted}
        bounds, numbers = self.arrays["laws"].tolist(), self.arrays["numbers"]
        found: dict[tuple[str, ArticleNumber], int] = {}
        for at, group in enumerate(self._groups):
            if group.title in titles:
                for row in range(bounds[at], bounds[at + 1]):
                    found.setdefault((group.title, ArticleNumber(*numbers[row].tolist())), row)
        return {key: found[key] for key in wanted & found.keys()}

    def _terms(self, queries: Sequence[str]) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.uint64]]:
        """Return query and key of each occurrence of a term."""
        word_rows, words = word_terms(queries, self._segmenter)
        rows, bigrams = bigram_terms(queries)
        return np.concatenate([word_rows, rows, rows]), np.concatenate([words, bigrams, tagged(bigrams, HEADING)])

    def _ranked(
        self, queries: Sequence[str], k: int, territory: str | None
    ) -> Iterable[tuple[npt.NDArray[np.int32], npt.NDArray[np.float32]]]:
        prior = self._prior
        if territory is not None:
            here = [not g.territory or f"{territory}/".startswith(f"{g.territory}/") for g in self._groups]
            prior = prior * np.array(here, np.float32)
        arrays, pending = self.arrays, iter(queries)
        while chunk := list(islice(pending, _BATCH)):
            row, term, worth = _known(*self._terms(chunk), arrays)
            order = np.argsort(row, kind="stable")
            asked = np.searchsorted(row[order], np.arange(len(chunk) + 1))
            yield best_articles(
                asked, term[order], worth[order], arrays["starts"], arrays["documents"], arrays["weights"],
                arrays["laws"], prior, _LAW_SHARE, max(1, min(k, len(self))),
            )  # fmt: skip


def candidate_bases(
    index: StatuteIndex, measures: Sequence[str], k: int, territory: str | None = None
) -> list[list[BasisSuggestion]]:
    """Return for each measure the k articles that might be its basis, best first; they are suggestions, not findings."""
    return [[index.suggestion(hit) for hit in hits] for hits in index.search(measures, k, territory)]


def _group(title: str, version_id: str, known: tuple[Law, Version] | None) -> _Group:
    if known is None:
        return _Group(title, version_id)
    law, version = known
    effective = version.effective.isoformat() if version.effective else ""
    return _Group(title, version_id, law.rank.value, law.territory, version.adopted.isoformat(), effective)


def _plain(group: _Group) -> dict[str, str]:
    return asdict(group)


def _priors(groups: Sequence[_Group], sizes: npt.NDArray[np.int64]) -> npt.NDArray[np.float32]:
    rank = np.array([_PRIOR.get(Rank(g.rank), 1.0) if g.rank else 1.0 for g in groups], np.float64)
    size = np.log(np.maximum(sizes, 1)) / max(float(np.log(sizes.max(initial=2))), 1e-9)
    return (rank * (1 + _SIZE * size)).astype(np.float32)


def _postings(texts: Sequence[str], headings: Sequence[str]) -> Arrays:
    """Return `keys`, `starts`, `documents` and `weights` over all fields."""
    heading_rows, heading_keys = bigram_terms(headings)
    fields = [
        weigh(*word_terms(texts, segmenter()), len(texts), *_TEXT),
        weigh(*bigram_terms(texts), len(texts), *_TEXT),
        weigh(heading_rows, tagged(heading_keys, HEADING), len(texts), *_HEADING),
    ]
    keys = np.concatenate([keys for keys, *_ in fields])
    order = np.argsort(keys)  # keys of different fields differ by their tags, so each has one run of postings
    counts = np.concatenate([np.diff(starts) for _, starts, *_ in fields])
    begins = np.concatenate([[0], np.cumsum(counts)])[:-1]
    place = _runs(begins[order], counts[order])
    return {
        "keys": keys[order],
        "starts": np.concatenate([np.zeros(1, np.int64), np.cumsum(counts[order])]),
        "documents": np.concatenate([documents for _, _, documents, _ in fields])[place],
        "weights": np.concatenate([weights for *_, weights in fields])[place],
    }


def _runs(begins: npt.NDArray[np.int64], counts: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return the places of runs, one run after the other."""
    shift = begins - np.concatenate([np.zeros(1, np.int64), np.cumsum(counts)])[:-1]
    return np.arange(counts.sum(), dtype=np.int64) + np.repeat(shift, counts)


def _find(keys: npt.NDArray[np.uint64], wanted: npt.NDArray[np.uint64]) -> npt.NDArray[np.int32]:
    """Return where the wanted keys stand among ascending keys, -1 for those that do not."""
    if not len(keys):
        return np.full(len(wanted), -1, np.int32)
    at = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    return np.where(keys[at] == wanted, at, -1).astype(np.int32)


def _learnt(
    sources: npt.ArrayLike = (), starts: npt.ArrayLike = (0,), words: npt.ArrayLike = (), weights: npt.ArrayLike = ()
) -> Arrays:
    return {
        "from": np.array(sources, np.uint64), "learnt_starts": np.array(starts, np.int64),
        "learnt": np.array(words, np.int32), "learnt_weights": np.array(weights, np.float32),
    }  # fmt: skip


def _known(
    row: npt.NDArray[np.int32], keys: npt.NDArray[np.uint64], arrays: Arrays
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32], npt.NDArray[np.float32]]:
    """Return query, term and weight of the terms that articles hold, and of those that were learnt for others."""
    term = _find(arrays["keys"], keys)
    held = term >= 0
    source = _find(arrays["from"], keys)
    told = source >= 0
    begins, ends = arrays["learnt_starts"][source[told]], arrays["learnt_starts"][source[told] + 1]
    place = _runs(begins, ends - begins)
    return (
        np.concatenate([row[held], np.repeat(row[told], ends - begins)]),
        np.concatenate([term[held], arrays["learnt"][place]]),
        np.concatenate([np.ones(int(held.sum()), np.float32), arrays["learnt_weights"][place]]),
    )


def _associations(
    asked: tuple[npt.NDArray[np.int32], npt.NDArray[np.uint64]],
    questions: int,
    answers: Sequence[tuple[int, int]],
    arrays: Arrays,
    articles: int,
) -> Arrays:
    """Return for words of questions the words that their answers hold oftener than by chance, as arrays of the index.

    Args:
        asked: question and key of each word.
        questions: number of questions.
        answers: pairs of question and article.
        arrays: of the index.
        articles: number of articles.
    """
    if not answers:
        return _learnt()
    holds = sp.csr_matrix(
        (np.ones(len(arrays["documents"]), np.float32), arrays["documents"], arrays["starts"]),
        shape=(len(arrays["keys"]), articles),
    )
    question, article = np.array(answers).T
    answered = sp.csr_matrix((np.ones(len(answers), np.float32), (article, question)), shape=(articles, questions))
    telling = np.flatnonzero(is_word(arrays["keys"]) & (np.diff(arrays["starts"]) <= _COMMON * articles))
    told = (holds[telling] @ answered).sign()  # (telling words, questions)
    words, word = np.unique(asked[1], return_inverse=True)
    put = sp.csr_matrix((np.ones(len(word), np.float32), (word, asked[0])), shape=(len(words), questions)).sign()
    times_put, times_told = np.asarray(put.sum(1)).ravel(), np.asarray(told.sum(1)).ravel()
    both = (put @ told.T).tocoo()
    strength = np.log(both.data * questions / (times_put[both.row] * times_told[both.col]))
    same = words[both.row] == arrays["keys"][telling[both.col]]
    keep = (both.data >= _TOGETHER) & (strength > _ASSOCIATION) & ~same
    source, target = both.row[keep], telling[both.col[keep]]
    weight = _LEARNT_WEIGHT * both.data[keep] / (times_put[source] + 2)  # + 2: a word put twice proves little
    order = np.lexsort((target, -weight, source))
    source, target, weight = source[order], target[order], weight[order]
    most = np.arange(len(source)) - np.searchsorted(source, source) < _LEARNT_MOST
    source, target, weight = source[most], target[most], weight[most]
    sources, counts = np.unique(source, return_counts=True)
    return _learnt(words[sources], np.concatenate([[0], np.cumsum(counts)]), target, weight)
