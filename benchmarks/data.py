"""Where the evaluation data lies: beside the checkout, or where MINQING_DATA says."""

from __future__ import annotations

import os
import sys
from pathlib import Path


def petitions_folder() -> Path:
    """Return the folder of real petitions, or end with a word on what is missing."""
    root = Path(os.environ.get("MINQING_DATA", Path(__file__).resolve().parents[2] / "shared" / "data"))
    folder = root / "petitions"
    if not folder.is_dir():
        sys.exit(f"{folder}: the evaluation data is not here; set MINQING_DATA to its folder")
    return folder
