"""Where a user's data lives: models, the store, caches and the spool of work in hand.

Petitions are personal data, so every folder is made for its owner alone (mode 0700).
"""

from __future__ import annotations

import getpass
import os
from pathlib import Path

import platformdirs

#: Environment variable that puts the workspace somewhere else.
HOME_VARIABLE = "MINQING_HOME"
#: Environment variable with the address of the store: a database URL, or a path.
STORE_VARIABLE = "MINQING_STORE"


def workspace() -> Path:
    """Return the workspace, made if it is not there: `MINQING_HOME`, or the platform's folder for user data.

    Raises:
        NotADirectoryError: if there is something else under that name.
        OSError: if the folder cannot be made.
    """
    home = os.environ.get(HOME_VARIABLE, "").strip()
    return _private(Path(home).expanduser().absolute() if home else Path(platformdirs.user_data_dir("minqing")))


def models_dir() -> Path:
    """Return the folder of trained versions, made if it is not there."""
    return _private(workspace() / "models")


def encoders_dir() -> Path:
    """Return the folder of pretrained encoders, made if it is not there."""
    return _private(workspace() / "encoders")


def store_path() -> Path:
    """Return the path of the default SQLite store; the file itself is made by the store."""
    return workspace() / "store.sqlite3"


def store_address() -> str:
    """Return the address of the store: `MINQING_STORE`, or the path of the default SQLite store.

    It may hold a password: it is read where a store is opened, and goes into no file, message or parameter.
    """
    return os.environ.get(STORE_VARIABLE, "").strip() or str(store_path())


def statutes_path() -> Path:
    """Return the path of the statute texts that `minqing statutes build` makes."""
    return workspace() / "statutes.sqlite3"


def statute_index_dir() -> Path:
    """Return the folder of the search index over these texts."""
    return workspace() / "statutes-index"


def cache_dir() -> Path:
    """Return the folder of what can be computed again, made if it is not there."""
    return _private(workspace() / "cache")


def spool_dir() -> Path:
    """Return the folder in which chunks of work wait between tasks, made if it is not there."""
    return _private(workspace() / "spool")


def labels_dir() -> Path:
    """Return the folder of exports for annotation and what people said of them, made if it is not there."""
    return _private(workspace() / "labels")


def retrains_dir() -> Path:
    """Return the folder of the records and reports of retrainings, made if it is not there."""
    return _private(workspace() / "retrains")


def login() -> str:
    """Return the login name of who gives a command; "unknown" where the system has none, as in a container of a user without an entry."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"


def _private(path: Path) -> Path:
    """Make `path` with its parents; what is made here is readable by its owner alone, what was there stays as it is."""
    if not path.is_dir():
        missing = [path, *(parent for parent in path.parents if not parent.exists())]
        for folder in reversed(missing):
            try:
                folder.mkdir(mode=0o700, exist_ok=True)
            except FileExistsError as error:
                msg = f"{folder}: is not a folder; set {HOME_VARIABLE} to one"
                raise NotADirectoryError(msg) from error
    return path
