"""Citations of statutes in a text: find them, with exact offsets, in one pass (《标题》第N条, 本法第N条, 该法, 前款, 有关法律法规, 文号).

The references to articles, the titles and the anaphors are found by scans that each begin with a rare literal; only
then are they put together in the order of the text. A reference belongs to the title directly before it, else to the
word before it (本法, 该条例, 同法, a short name defined in the document), else to the reference that it is joined to
(…和第五条), else to the document itself, or, where the document has no articles, to the law that its paragraph speaks of.
Nothing is carried across a blank line.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Collection
from dataclasses import replace
from heapq import merge

from pipeline.policies import citation_patterns as p
from pipeline.policies.citation_document import Document
from pipeline.policies.citation_names import is_generic, name_before
from pipeline.policies.citation_owners import JOINED, Owner, Owners
from pipeline.policies.citation_pins import Pin, article, read_pins, value
from pipeline.policies.citation_titles import GENERIC, Mention, TitleSpotter
from pipeline.policies.citation_vague import Spans, numbers, vague
from pipeline.policies.records import Citation

_SENTENCE_END = re.compile(r"[。；;\n]")


class Finder:
    """Finds the citations of a text.

    Args:
        titles: titles and aliases of the knowledge base, normalised as `corpora.statute_titles.normalise_title` does.
    """

    def __init__(self, titles: Collection[str]) -> None:
        self._spotter = TitleSpotter(titles)

    def find(self, text: str, own_title: str = "") -> list[Citation]:
        """Return the citations in order of their position; `text[c.start:c.end] == c.text` for each.

        Each article, and each paragraph or item of one that is named, is a citation of its own. Those of a range or an
        elided list (第七、八条) share their span; those of a list (第七条、第八条) have each their own.

        Args:
            text: one document; a blank line ends the reach of anaphors.
            own_title: title of the document, which 本法, 本条例 … stand for; "" where it is not known.
        """
        return _Pass(self._spotter, text, own_title).run()


class _Pass:
    """One pass over one text."""

    def __init__(self, spotter: TitleSpotter, text: str, own_title: str) -> None:
        self.spotter, self.text = spotter, text
        self.document = Document(text, own_title)
        self.out: list[Citation] = []
        self.owners = Owners(text, self.document, spotter)
        self.chains = {m.start(): m for m in p.CHAIN.finditer(text)} if "条" in text or "條" in text else {}

        for match in p.SHORT_SELF.finditer(text):
            short = p.SHORT.match(text, match.end())
            if short:
                self.chains[match.end()] = short

    def run(self) -> list[Citation]:
        text = self.text
        mentions = self._defining(self.spotter.spot(text, self.document.own))
        others = [
            (m.start(), 2, m) for pattern in (*p.THAT, *p.ABOVE, p.BEFORE, *p.THIS) for m in pattern.finditer(text)
        ]
        others += self._lower()
        others.sort(key=lambda event: event[0])
        done = 0
        titles: list[tuple[int, int, Mention | re.Match[str]]] = [(m.start, 0, m) for m in mentions]
        for start, order, found in merge(
            titles, ((s, 1, m) for s, m in sorted(self.chains.items())), others, key=lambda event: event[:2]
        ):
            if start < done:
                continue
            if isinstance(found, Mention):
                done = max(done, self._title(found))
            else:
                done = max(done, self._chain(found) if order == 1 else self._anaphor(found))
        spans = Spans(self.out)
        self.out += numbers(text, spans)
        self.out += vague(text, spans, {m.end for m in mentions})
        self.out.sort(key=lambda c: (c.start, c.end))
        return self.out

    def _defining(self, mentions: list[Mention]) -> list[Mention]:
        """Add the unknown titles without 《》 for which the text defines a short name."""
        if "简称" not in self.text:
            return mentions
        starts = [mention.start for mention in mentions]
        added = []
        for match in p.DEFINING.finditer(self.text):
            start = match.start()
            at = bisect_right(starts, start) - 1
            if at >= 0 and max(mentions[at].consumed, mentions[at].end) >= start:
                continue
            name = name_before(self.text[max(0, start - 48) : start])
            if name and not is_generic(name):
                added.append(self.spotter.named(self.text, start - len(name), start))
        return sorted(mentions + added, key=lambda m: m.start) if added else mentions

    def _lower(self) -> list[tuple[int, int, re.Match[str]]]:
        """Return 第二款 and the like that no article stands before."""
        if "款" not in self.text:
            return []
        starts = sorted(self.chains)
        ends = [self.chains[s].end() for s in starts]
        out: list[tuple[int, int, re.Match[str]]] = []
        for match in p.LOWER.finditer(self.text):
            at = bisect_right(starts, match.start()) - 1
            if at < 0 or ends[at] <= match.start():
                out.append((match.start(), 3, match))
        return out

    # titles

    def _title(self, mention: Mention) -> int:
        """Take a title with what follows; returns where the citation ends."""
        text = self.text
        chain = self.chains.get(mention.after) or p.SHORT.match(text, mention.end)
        law, year = self.owners.defined.get(mention.title, (mention.title, None))
        year = mention.year or (self._year_behind(chain) if chain else None) or year
        if mention.quoted and law in GENERIC:
            if chain is not None and text[mention.start - 1 : mention.start] == "本":
                self._emit(chain, Owner(mention.start - 1, "self"))
                return chain.end()
            law = self.owners.antecedent(law, mention.start)[0] or law
        if p.CONTRACT_TITLE.search(mention.title):
            return chain.end() if chain else mention.end
        if chain is not None:
            self._emit(chain, Owner(mention.start, "article", law, year))
            self._define(mention, law)
            self.owners.laws.append((chain.end(), law, year))
            return chain.end()
        if not mention.plausible or law in GENERIC:
            return mention.end
        end = mention.end
        kind = "number" if mention.number and not (mention.known or mention.is_statute) else "title"
        if kind == "number" and mention.consumed:
            end = mention.consumed
        relation = self.document.relation(mention.start, end)
        if relation == "amends" and mention.quoted:
            self.owners.amended = law
        self.out.append(Citation(mention.start, end, text[mention.start : end], kind, law, year, relation=relation))
        self._define(mention, law)
        if mention.is_statute:
            self.owners.laws.append((end, law, year))
        return max(end, mention.consumed)

    def _year_behind(self, chain: re.Match[str]) -> int | None:
        """Return the year of the version that a bracket behind the article names: 《行政处罚法》第二十四条（2021年修订）."""
        bracket = p.BRACKET_BEHIND.match(self.text, chain.end())
        return p.version_year(bracket[0]) if bracket and "修" in bracket[0] else None

    def _define(self, mention: Mention, law: str) -> None:
        """Note the short name that stands behind a title, on the first citation of that title."""
        if not mention.definition:
            return
        self.owners.defined[mention.definition] = (law, mention.year)
        at = next((i for i in range(len(self.out) - 1, -1, -1) if self.out[i].start < mention.start), -1) + 1
        if at < len(self.out):
            self.out[at] = replace(self.out[at], definition=mention.definition)

    # references to articles

    def _chain(self, chain: re.Match[str]) -> int:
        """Take a reference to articles that no title stands directly before."""
        owner = self.owners.owner(chain)
        if owner is not None:
            self._emit(chain, owner)
            if owner.law and owner.kind != "self":
                self.owners.laws.append((chain.end(), owner.law, owner.year))
        return chain.end()

    def _emit(self, chain: re.Match[str], owner: Owner) -> None:
        pins = _simple(chain) or read_pins(self.text, chain.start(), chain.end())
        pins = [pin for pin in pins if pin.number is not None]
        if not pins:
            return
        relation = owner.relation or self.document.relation(owner.start, chain.end())
        first = pins[0].start
        for pin in pins:
            self._cite(min(owner.start, pin.start) if pin.start == first else pin.start, owner, pin, relation)
        self.owners.last = (chain.end(), owner, pins[-1])

    def _cite(self, start: int, owner: Owner, pin: Pin, relation: str) -> None:
        self.out.append(
            Citation(
                start,
                pin.end,
                self.text[start : pin.end],
                owner.kind,
                owner.law,
                owner.year,
                pin.number,
                pin.paragraph,
                pin.item,
                relation,
            )
        )

    # anaphors

    def _anaphor(self, match: re.Match[str]) -> int:
        """Take 该法, 同法, 上述规定, 前款, 本条, 第二款; returns where the citation ends."""
        start, end = match.span()
        if match.re is p.LOWER:
            return self._paragraphs(start, end)
        if match.re in p.THAT or match.re in p.ABOVE:
            return self._that(match)
        text, word = self.text, match[0]
        if word[0] in "该同":
            if not self.owners.last or not self.document.same_paragraph(self.owners.last[0], start):
                return end
            of = self.owners.last[1]
            number, paragraph = self.owners.last[2].number, None
            owner = Owner(start, "self" if of.kind == "self" else "anaphor", of.law, of.year)
        else:
            number, paragraph = self.document.standing(word, start)
            owner = Owner(start, "self")
        relation = self.document.relation(start, end)
        below = p.TAIL_BELOW.match(text, end)
        if not below:
            self._cite(start, owner, Pin(start, end, number, paragraph), relation)
            return end
        pins = read_pins(text, below.start(), below.end(), number or article(1), paragraph)
        for pin in pins:
            pin.number = number
            self._cite(start if pin.start == pins[0].start else pin.start, owner, pin, relation)
        if number and pins:
            self.owners.last = (below.end(), owner, pins[-1])
        return below.end()

    def _that(self, match: re.Match[str]) -> int:
        """Take 该法, 同法 and 上述规定; where an article follows it is left to the reference."""
        (start, end), word = match.span(), match[0]
        between = p.BETWEEN.match(self.text, end)
        if end in self.chains or (between and between.end() in self.chains):
            return start
        above = match.re in p.ABOVE
        if above and (self.document.structured or self.text[start - 2 : start] in ("本条", "本款")):
            return end
        law, year = self.owners.antecedent("" if above else word[1:], start)
        if law or not above:
            relation = self.document.relation(start, end)
            self.out.append(Citation(start, end, word, "anaphor", law, year, relation=relation))
        return end

    def _paragraphs(self, start: int, end: int) -> int:
        """Take 第二款 alone: of the article cited in the same sentence, else of the document's own article here."""
        last = self.owners.last
        if (
            last
            and last[2].number
            and start - last[0] < 2 * JOINED
            and not _SENTENCE_END.search(self.text, last[0], start)
        ):
            owner = Owner(start, last[1].kind, last[1].law, last[1].year)
        else:
            last, owner = None, Owner(start, "self")
        number = last[2].number if last else self.document.here(start)
        relation = self.document.relation(start, end)
        for pin in read_pins(self.text, start, end, number or article(1)):
            pin.number = number
            self._cite(pin.start, owner, pin, relation)
        return end


def _simple(chain: re.Match[str]) -> list[Pin]:
    """Return the pin of the commonest reference, 第N条, without the reader; [] where it is more."""
    body = chain[0][1:-1]
    if chain[0][0] == "第" and chain[0][-1] == "条" and len(body) < 8 and (number := value(body)) is not None:
        found = article(number)
        return [Pin(chain.start(), chain.end(), found)] if found else []
    return []
