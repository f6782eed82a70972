"""Imported by the process that workers are forked from: what each of them needs is loaded once, and shared by all.

Loading the router and the compiled loops takes seconds of processor time, and as long in each worker that does it itself.
"""

from __future__ import annotations

import gc
import os
from contextlib import suppress

from threadpoolctl import threadpool_limits

from flows import batch
from flows.plan import Plan
from flows.workers import PLAN

threadpool_limits(1)  # there is a worker for each core: threads of their own would only wait for one another
if text := os.environ.get(PLAN):
    with suppress(Exception):  # what is wrong is told by the worker that meets it
        batch.warm(Plan.from_json(text))
    gc.freeze()
