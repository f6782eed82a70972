"""The scorer of the service: the champions of the day, changed while requests run.

A thread looks each second whether another version was promoted, the day changed or a city's files did. The new router is
loaded and warmed beside the one that serves, then one reference is replaced: a batch in work ends with the router it began
with. What cannot be loaded changes nothing but the status.
"""

from __future__ import annotations

import datetime as dt
import gc
import hashlib
import logging
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from corpora.workspace import models_dir
from dispatch.scoring import ScoredBatch, UnitChoice
from flows.batch import any_petition
from models import registry
from models.router import Router
from models.serving import make_router

_log = logging.getLogger(__name__)
#: Seconds after which what failed to load is tried again without anything having changed: a full disk may be mended.
_AGAIN = 60.0
#: Seconds that a load has the interpreter for at a time.
_TURN = 0.0002


@dataclass(frozen=True, slots=True)
class Status:
    """What serves, and why nothing newer does.

    Attributes:
        loaded_at: local time at which it began to serve.
        on: day whose units it knows.
        error: why the newest champions or files do not serve; "" where they do.
    """

    model_version: str
    config_version: str
    issue_version: str | None
    unit_version: str | None
    loaded_at: dt.datetime
    on: dt.date
    swaps: int
    error: str = ""


@contextmanager
def _giving_way() -> Iterator[None]:
    """Let threads that score have the interpreter back soon: at Python's 5 ms, each step of theirs waits that long for a load."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(_TURN)
    try:
        yield
    finally:
        sys.setswitchinterval(before)


def _keep() -> None:
    """Leave what lives now out of garbage collection: going through a router stops all threads for an eighth of a second.

    A router that no longer serves holds no cycles and is freed when its last batch ends.
    """
    gc.freeze()


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What ought to serve."""

    issue: str | None
    unit: str | None
    on: dt.date
    files: str


@dataclass(frozen=True, slots=True)
class _Serving:
    router: Router
    units: tuple[UnitChoice, ...]
    bases: Mapping[str, str]
    wanted: _Wanted
    loaded_at: dt.datetime
    swaps: int


class LiveScorer:
    """Routes with the champions of the day (`dispatch.scoring.Scorer`); safe to call from several threads."""

    def __init__(
        self,
        units: Path | None = None,
        places: Path | None = None,
        config: Path | None = None,
        *,
        models: Path | None = None,
        seconds: float = 1.0,
        today: Callable[[], dt.date] = dt.date.today,
    ) -> None:
        """Load what serves now.

        Args:
            units: unit directory; that of the unit model by default.
            places: gazetteer; `places.csv` beside the directory by default.
            config: a city's own configuration.
            models: folder of all models; the workspace's by default.
            seconds: between two looks.
            today: tells the day.

        Raises:
            models.serving.NotReadyError: if there is neither a unit directory nor a unit model.
            models.registry.ModelError: if a champion is damaged.
            corpora.config.ConfigError, corpora.dated.DataFileError, OSError: if a file of the city is wrong.
        """
        self._models = models or models_dir()
        self._units, self._places, self._config = units, places, config
        self._seconds, self._today = seconds, today
        self._seen: dict[Path, tuple[tuple[int, int, int], bytes]] = {}
        self._looking = threading.Lock()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._failed: tuple[_Wanted | None, float] | None = None
        self._error = ""
        self._now = self._load(self._wanted(), 0)

    # Scorer -------------------------------------------------------------------------------------------------------

    @property
    def model_version(self) -> str:
        """Names of the models in service now."""
        return self._now.router.version

    @property
    def config_version(self) -> str:
        """Version of the configuration."""
        return self._now.router.config.version

    def score(self, petitions: pa.Table, hashes: Sequence[str] | None = None) -> ScoredBatch:
        """Route a batch (`PETITION_SCHEMA`) with one and the same pair of models (see `Router.route`)."""
        routed = self._now.router.route(petitions, hashes)
        return ScoredBatch(routed.suggestions, routed.sketches.to_bytes())

    def units(self) -> Sequence[UnitChoice]:
        """Return the units valid today."""
        return self._now.units

    def resolve(self, name: str) -> str | None:
        """Return the code of the one unit of today that a code, name or alias means, or None; a successor is meant too."""
        router = self._now.router
        code = router.known.resolve(name, router.on)
        meant = router.known.successor_on(code, router.on) if code else ()
        return str(meant[0]) if len(meant) == 1 else None

    def issue_name(self, code: str) -> str:
        """Return the name of an issue type."""
        return self._now.router.issue_name(code)

    def basis(self, duty: str) -> str:
        """Return the statute that a duty item names, "" where it names none or is not of today."""
        return self._now.bases.get(duty, "")

    # Change -------------------------------------------------------------------------------------------------------

    def status(self) -> Status:
        """Return what serves, and why nothing newer does."""
        now = self._now
        return Status(
            now.router.version, now.router.config.version, now.wanted.issue, now.wanted.unit, now.loaded_at, now.wanted.on, now.swaps,
            self._error,
        )  # fmt: skip

    def start(self) -> None:
        """Look for changes from now on, in a thread of its own."""
        gc.collect()
        _keep()
        self._stop.clear()
        self._thread = threading.Thread(target=self._watch, name="champion", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Look no longer; scoring goes on."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def refresh(self) -> bool:
        """Look for a change now and bring it into service; return whether something else serves since.

        Nothing is raised: what went wrong is in the status, and what served goes on serving.
        """
        with self._looking:
            wanted: _Wanted | None = None
            try:
                wanted = self._wanted()
                if wanted == self._now.wanted:
                    self._failed, self._error = None, ""
                    return False
                if self._failed and self._failed[0] == wanted and time.monotonic() < self._failed[1]:
                    return False
                with _giving_way():
                    self._now = self._load(wanted, self._now.swaps + 1)
                _keep()
            except Exception as error:
                self._failed = (wanted, time.monotonic() + _AGAIN)
                if self._error != str(error):
                    _log.error("the new models or files were not taken into service: %s", error)
                self._error = str(error) or type(error).__name__
                return False
            self._failed, self._error = None, ""
            _log.info("in service: %s, %s", self.model_version, self.config_version)
            return True

    def _watch(self) -> None:
        while not self._stop.wait(self._seconds):
            self.refresh()

    def _wanted(self) -> _Wanted:
        issue, unit = (registry.champion(self._models, target) for target in registry.TARGETS)
        return _Wanted(issue, unit, self._today(), self._digest())

    def _digest(self) -> str:
        """Return a hash over the city's files; one whose size and times are as before is not read again."""
        beside = self._units.parent / "places.csv" if self._units and not self._places else None
        digest = hashlib.sha256()
        for path in (self._units, self._places or beside, self._config):
            if path is None or (path is beside and not path.exists()):
                digest.update(b"-")
                continue
            stat = path.stat()
            mark = (stat.st_mtime_ns, stat.st_size, stat.st_ino)
            if path not in self._seen or self._seen[path][0] != mark:
                self._seen[path] = (mark, hashlib.sha256(path.read_bytes()).digest())
            digest.update(self._seen[path][1])
        return digest.hexdigest()

    def _load(self, wanted: _Wanted, swaps: int) -> _Serving:
        router = make_router(self._models, wanted.issue, wanted.unit, self._units, self._places, self._config, wanted.on)
        router.route(any_petition())  # what is loaded on first use is loaded now
        units = tuple(UnitChoice(str(unit.code), unit.name, unit.kind) for unit in router.directory.units)
        bases = {item.id: item.basis for unit in router.directory.units for item in unit.duties}
        return _Serving(router, units, bases, wanted, dt.datetime.now(), swaps)
