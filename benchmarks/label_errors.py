"""Planted label errors: how many of them the list of doubtful labels holds, against simpler rankings.

    python benchmarks/label_errors.py [--share 0.05] [--seed 0]

A share of the labels of the message board (7 issue types) is changed to another one at random; predictions are held out
as `minqing diagnose` makes them. The real labels hold errors of their own, so a precision of 1 cannot be reached: the
rows doubted without any change are counted apart.
"""

from __future__ import annotations

import argparse

import numpy as np
import pyarrow as pa
from data import petitions_folder


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--share", type=float, default=0.05, help="share of labels to change")
    parser.add_argument("--seed", type=int, default=0, help="of the changes")
    arguments = parser.parse_args()
    from corpora.readers import read_petitions
    from models.city import City
    from models.label_errors import find_label_errors
    from models.training import fit

    paths = [petitions_folder() / "issue_types.csv"]
    table = pa.concat_tables([chunk.table for chunk in read_petitions(paths)]).combine_chunks()
    labels = np.array(table["issue_type"].to_pylist(), dtype=object)
    rng = np.random.default_rng(arguments.seed)
    changed = np.sort(rng.choice(len(labels), round(arguments.share * len(labels)), replace=False))
    names = sorted(set(labels))
    noisy = labels.copy()
    for row in changed:
        noisy[row] = rng.choice([name for name in names if name != labels[row]])
    at = table.schema.get_field_index("issue_type")
    clean_doubts = set(suspects(fit("issue_type", table, City()), find_label_errors))
    planted = table.set_column(at, table.schema.field(at), pa.array(noisy.tolist(), pa.string()))
    fitted = fit("issue_type", planted, City())
    held = fitted.held_out
    found = suspects(fitted, find_label_errors)
    flipped, twice = set(changed.tolist()), 2 * len(changed)
    own = held.probabilities[np.arange(len(held.y)), held.y]
    rest = [int(row) for row in held.rows[np.argsort(own, kind="stable")]]
    # Beyond its own cut the list goes on by the lowest probability of the filed label.
    longer = [*found, *(row for row in rest if row not in set(found))]
    drawn = rng.permutation(len(labels)).tolist()
    print(f"{len(labels)} rows, {len(changed)} labels changed; {len(clean_doubts)} are doubted before any change")
    print("                                   at its own cut             first as many as   first twice as many")
    print("                                   rows  precision  recall    changes: recall    as changes: recall")
    hits = len(flipped & set(found))
    print(f"confident learning (minqing)     {len(found):6d}     {hits / max(len(found), 1):6.3f}  {hits / len(flipped):6.3f}"
          f"    {recall(longer, flipped, len(flipped)):15.3f}    {recall(longer, flipped, twice):15.3f}")  # fmt: skip
    for title, order in (("lowest probability of the label", rest), ("at random", drawn)):
        print(f"{title:33s}     –          –       –    {recall(order, flipped, len(flipped)):15.3f}    {recall(order, flipped, twice):15.3f}")
    honest = [row for row in found if row not in clean_doubts or row in flipped]
    print(f"precision with the rows left out that were doubted before any change: {hits / max(len(honest), 1):.3f}")


def suspects(fitted, find) -> list[int]:
    """Return the rows that are doubted, the worst first."""
    held = fitted.held_out
    return [int(row) for row in held.rows[find(held.probabilities, held.y).rows]]


def recall(order: list[int], flipped: set[int], count: int) -> float:
    """Return the share of the flips among the first `count`."""
    return len(flipped & set(order[:count])) / len(flipped)


if __name__ == "__main__":
    main()
