"""Counts over mined documents; what a report says about all of them, in memory that does not grow with the texts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from dispatch.legal_labels import FRAMES, NO_FRAME, NO_KIND, VERDICTS
from pipeline.policies.records import Finding, Resolved

#: Reasons for not checking that are kept apart; the rest count under one heading.
_REASONS = 2_000
_REASON_LENGTH = 120
OTHER_REASONS = "（其他原因）"


@dataclass(slots=True)
class Tally:
    """Counts of a run.

    Attributes:
        documents, undated: documents read, and those without a date.
        verdicts: measures by verdict.
        gaps: measures by gap code.
        kinds: measures by (kind, verdict); "" is `NO_KIND`.
        frames: measures by (frame, verdict); "" is `NO_FRAME`.
        statuses: citations of laws by status.
        numbers: document numbers (文号), which no knowledge base of statutes can check.
        reasons: measures by reason why something was not checked.
        unchecked: measures of which something was not checked, whatever the verdict.
    """

    documents: int = 0
    undated: int = 0
    verdicts: Counter[str] = field(default_factory=Counter)
    gaps: Counter[str] = field(default_factory=Counter)
    kinds: Counter[tuple[str, str]] = field(default_factory=Counter)
    frames: Counter[tuple[str, str]] = field(default_factory=Counter)
    statuses: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    unchecked: int = 0
    numbers: int = 0

    @property
    def measures(self) -> int:
        """Measures of every verdict."""
        return self.verdicts.total()

    def add(self, findings: Sequence[Finding], resolved: Sequence[Resolved], *, dated: bool) -> None:
        """Count one document."""
        self.documents += 1
        self.undated += not dated
        numbers = sum(found.citation.kind == "number" for found in resolved)
        self.numbers += numbers
        self.statuses.update(found.status.value for found in resolved if found.citation.kind != "number")
        for finding in findings:
            verdict = finding.verdict.value
            self.verdicts[verdict] += 1
            self.gaps.update({gap.code for gap in finding.gaps})
            self.kinds[finding.measure.kind or NO_KIND, verdict] += 1
            self.frames[finding.measure.frame or NO_FRAME, verdict] += 1
            self.unchecked += bool(finding.not_checked) or verdict == "not_checked"
            for reason in set(finding.not_checked):
                short = reason[:_REASON_LENGTH]
                known = short in self.reasons or len(self.reasons) < _REASONS
                self.reasons[short if known else OTHER_REASONS] += 1

    def ranked_gaps(self) -> list[tuple[str, int]]:
        """Gap codes with their number of measures, the most frequent first."""
        return ranked(self.gaps)

    def ranked_reasons(self) -> list[tuple[str, int]]:
        """Reasons why something was not checked, the most frequent first."""
        return ranked(self.reasons)

    def kind_rows(self) -> list[tuple[str, list[int]]]:
        """Kinds of measures, each with its counts in the order of `VERDICTS`; those with most measures first."""
        totals: Counter[str] = Counter()
        for (kind, _), count in self.kinds.items():
            totals[kind] += count
        names = sorted(totals, key=lambda kind: (kind == NO_KIND, -totals[kind], kind))
        return [(kind, [self.kinds[kind, verdict] for verdict in VERDICTS]) for kind in names]

    def frame_rows(self) -> list[tuple[str, list[int]]]:
        """Frames of the reform (理念, 结构, 机制, 手段) that occur, each with its counts in the order of `VERDICTS`."""
        seen = {frame for frame, _ in self.frames}
        names = [*(frame for frame in FRAMES if frame in seen), *sorted(seen - {*FRAMES, NO_FRAME})]
        names += [NO_FRAME] if NO_FRAME in seen else []
        return [(frame, [self.frames[frame, verdict] for verdict in VERDICTS]) for frame in names]


def ranked(counts: Counter[str]) -> list[tuple[str, int]]:
    """Return the entries from the most frequent on, equals in the order of their names."""
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))
