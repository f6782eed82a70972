"""Marks on a text: every character once, elements that close in order, nothing unescaped."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatch.legal_text import Mark, annotate, blocks
from pipeline.policies.records import Clause


class Tree(HTMLParser):
    """Checks that elements close in order; gathers the text and the cards over each character."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.stack: list[tuple[str, str]] = []
        self.text = ""
        self.cards: list[frozenset[str]] = []
        self.anchors: list[str] = []
        self.feed(html)
        self.close()
        assert not self.stack

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in {"p", "span"}
        names = dict(attrs)
        self.stack.append((tag, names.get("data-card") or ""))
        if names.get("id"):
            self.anchors.append(str(names["id"]))

    def handle_endtag(self, tag: str) -> None:
        assert self.stack.pop()[0] == tag

    def handle_data(self, data: str) -> None:
        if self.stack:
            self.text += data
            self.cards += [frozenset(card for _, card in self.stack if card)] * len(data)
        else:
            assert not data.strip()


def mark(start: int, end: int, name: str) -> Mark:
    return Mark(start, end, "m", name, f"at-{name}")


def heading(start: int, end: int) -> Clause:
    return Clause(start, end, "heading", "", "", start, -1)


@pytest.mark.parametrize(
    ("marks", "expected"),
    [
        ([(0, 6, "a"), (2, 4, "b")], "<a>01<b>23</b>45</a>6789"),  # nested
        ([(2, 4, "b"), (0, 6, "a")], "<a>01<b>23</b>45</a>6789"),  # in any order
        ([(0, 5, "a"), (3, 8, "b")], "<a>012<b>34</b></a><b+>567</b>89"),  # crossing
        ([(0, 4, "a"), (0, 4, "b")], "<a><b>0123</b></a>456789"),  # the same span
        ([(0, 4, "a"), (4, 8, "b")], "<a>0123</a><b>4567</b>89"),  # adjoining
        ([(0, 4, "a"), (0, 6, "b"), (2, 8, "c")], "<b><a>01<c>23</c></a><c+>45</c></b><c+>67</c>89"),
        ([(3, 3, "a"), (-5, 2, "b"), (8, 99, "c"), (50, 60, "d")], "<b>01</b>234567<c>89</c>"),  # empty, out of range
    ],
)
def test_marks_nest(marks: list[tuple[int, int, str]], expected: str) -> None:
    html = str(annotate("0123456789", [], [mark(*item) for item in marks])).strip()
    for name in "abcd":
        html = html.replace(
            f'<span class="m" data-card="{name}" id="at-{name}" tabindex="0" role="button">', f"<{name}>"
        ).replace(f'<span class="m more" data-card="{name}">', f"<{name}+>")
    # The closing tags bear no name: put them in by the order of opening.
    out, stack, at = "", [], 0
    html = html.removeprefix("<p>").removesuffix("</p>")
    while at < len(html):
        if html.startswith("</span>", at):
            out += f"</{stack.pop()}>"
            at += 7
        elif html[at] == "<":
            end = html.index(">", at)
            stack.append(html[at + 1])
            out += html[at : end + 1]
            at = end + 1
        else:
            out += html[at]
            at += 1
    assert out == expected


TEXTS = st.text(alphabet="甲乙。<&\"'\n　 a", max_size=60)
SPANS = st.lists(st.tuples(st.integers(-3, 65), st.integers(-3, 65)), max_size=12)


@given(TEXTS, SPANS, st.lists(st.integers(0, 60), max_size=4))
def test_every_character_bears_its_marks(text: str, spans: list[tuple[int, int]], cuts: list[int]) -> None:
    marks = [mark(start, end, f"k{place}") for place, (start, end) in enumerate(spans)]
    clauses = [heading(cut, cut + 1) for cut in cuts]
    tree = Tree(str(annotate(text, clauses, marks)))
    shown = [place for start, end, _ in blocks(text, clauses) for place in range(start, end)]
    assert tree.text == "".join(text[place] for place in shown)
    assert tree.cards == [frozenset(item.card for item in marks if item.start <= place < item.end) for place in shown]
    # Each mark that is seen at all takes the focus once.
    seen = {card for cards in tree.cards for card in cards}
    assert sorted(tree.anchors) == sorted(f"at-{card}" for card in seen)
    # Only white space is left out.
    assert not "".join(text[place] for place in sorted(set(range(len(text))) - set(shown))).strip()


def test_blocks_begin_at_lines_and_clauses() -> None:
    text = "标题一、甲二、乙\n\n　\n落款"
    clauses = [heading(2, 5), heading(5, 8), Clause(3, 4, "paragraph", "", "", 3, 0)]
    assert [text[start:end] for start, end, _ in blocks(text, clauses)] == ["标题", "一、甲", "二、乙", "落款"]
    assert [name for *_, name in blocks(text, clauses)] == ["", "t-heading", "t-heading", ""]
    assert 'class="t-heading"' in annotate(text, clauses, [])
    long = "一、" + "字" * 100
    assert 'class="t-heading"' not in annotate(long, [heading(0, len(long))], [])  # text that runs on is no heading
    assert 'class="t-heading"' not in annotate("一、市政府决定。", [heading(0, 8)], [])


def test_attributes_are_escaped() -> None:
    html = str(annotate("甲", [], [Mark(0, 1, 'a"b', 'c"<d', 'e"f', '"><script>')]))
    assert "<script" not in html
    assert Tree(html).cards == [frozenset({'c"<d'})]
