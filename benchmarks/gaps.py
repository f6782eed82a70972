"""Gap codes on documents whose measures an examiner planted, who had seen the specification and neither code nor rules.

    MINQING_HOME=… python benchmarks/gaps.py [--wrong]

Invented documents with planted sentences: measures with their gap codes, clean measures, and sentences that look alarming and
are no measure. Each folder of `gap_documents/` is a set of its own, written by another examiner after the rules had been
widened on the set before; `docs/evaluation.md` has what each gave at first sight.

A code counts as found where a finding on that sentence has it; a code that is neither wanted nor acceptable there is a false
accusation. The baseline accuses every planted sentence that speaks of a power and names no 《title》, of NO_BASIS: what a word
list does. Needs statute texts: `minqing statutes build` first.
"""

from __future__ import annotations

import argparse
import json
import re
from collections import Counter, defaultdict
from pathlib import Path

from corpora.documents import read_documents
from corpora.workspace import statute_index_dir, statutes_path
from flows.mining import Miner

FOLDERS = sorted(path for path in Path(__file__).with_name("gap_documents").iterdir() if path.is_dir())
POWERS = re.compile("处罚|许可|审批|强制|扣押|收费|收取|委托|划转|划归|移交|撤销|合并|编制|执法|职责|试点")
#: A notice that the law has changed since, no accusation.
RADAR = {"BASIS_AMENDED_SINCE"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--wrong", action="store_true", help="print what is missed or accused wrongly")
    options = parser.parse_args()
    miner = Miner.load(statutes_path(), statute_index_dir())
    for folder in FOLDERS:
        score(miner, folder, wrong_ones=options.wrong)


def score(miner: Miner, folder: Path, *, wrong_ones: bool) -> None:
    """Print how a set of documents is judged."""
    findings = defaultdict(list)
    texts = {}
    for document in read_documents(sorted(folder.glob("*.txt"))):
        texts[Path(document.source).name] = document.text
        findings[Path(document.source).name] = miner.mine(document, None).findings
    planted = [json.loads(line) for line in (folder / "truth.jsonl").read_text("utf-8").splitlines()]
    found, missed, false = Counter(), Counter(), Counter()
    accused = baseline_right = baseline_accused = faulty = 0
    clean = {"supported": [0, 0], "no_measure": [0, 0]}
    for item in planted:
        start = texts[item["document"]].index(item["quote"])
        end = start + len(item["quote"])
        here = [f for f in findings[item["document"]] if overlap(f.measure.start, f.measure.end, start, end) > 0.5]
        given = {gap.code for finding in here for gap in finding.gaps}
        wanted = set(item["gap_codes"])
        wrong = given - wanted - set(item.get("acceptable", ())) - RADAR
        found.update(wanted & given)
        missed.update(wanted - given)
        false.update(wrong)
        faulty += bool(wanted - RADAR)
        accused += bool(wanted - RADAR) and bool(given - RADAR)
        if POWERS.search(item["quote"]) and "《" not in item["quote"]:
            baseline_accused += 1
            baseline_right += bool(wanted - RADAR)
        if not wanted:
            kind = "no_measure" if item["verdict"] == "no_measure" else "supported"
            clean[kind][0] += not wrong
            clean[kind][1] += 1
        if wrong_ones and (wrong or wanted - given):
            print(item["document"][:2], item["quote"], "wanted", sorted(wanted), "given", sorted(given), [str(f.verdict) for f in here])
    right, lost, bad = found.total(), missed.total(), false.total()
    print(f"{folder.name}: {len(planted)} planted sentences in {len(texts)} documents, {right + lost} gap codes wanted")
    print(f"  codes: precision {right / (right + bad):.3f}  recall {right / (right + lost):.3f}")
    print(f"  measures with a gap that are accused of something: {accused} of {faulty}")
    print(f"  left alone: clean measures {clean['supported'][0]} of {clean['supported'][1]}, no measures {clean['no_measure'][0]} of {clean['no_measure'][1]}")
    print(f"  baseline (words of power, no title): accuses {baseline_accused}, {baseline_right} of them with a gap, of {faulty}")
    print("  by code (found/wanted, false): " + "  ".join(f"{c} {found[c]}/{found[c] + missed[c]}, {false[c]}" for c in sorted({*found, *missed, *false})))


def overlap(start: int, end: int, other_start: int, other_end: int) -> float:
    """Return the common part of two spans as a share of the shorter."""
    return (min(end, other_end) - max(start, other_start)) / min(end - start, other_end - other_start)


if __name__ == "__main__":
    main()
