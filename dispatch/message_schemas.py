"""JSON Schemas of all messages, made from the types in `dispatch.messages`; `dispatch/schemas/` holds them as files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson

from dispatch import messages
from dispatch.messages import schema_of

FOLDER = Path(__file__).parent / "schemas"
_DIALECT = "https://json-schema.org/draft/2020-12/schema"


def schemas() -> dict[str, bytes]:
    """Return file name → schema: of each kind's data, and of each kind's whole CloudEvent."""
    found = {}
    for kind, event in messages.EVENTS.items():
        found[f"{kind}.v1.json"] = _schema(event.model_fields["data"].annotation, schema_of(kind))
        found[f"{kind}.v1.event.json"] = _schema(event, f"{schema_of(kind)}:event")
    found["suggestion.v1.json"] = _schema(messages.Suggestion, schema_of("suggestion"))
    return found


def drifted(folder: Path = FOLDER) -> list[str]:
    """Return the names of files that are not as the types say: changed, missing, or left over."""
    wanted, there = schemas(), {path.name: path.read_bytes() for path in folder.glob("*.json")}
    return sorted(name for name in wanted.keys() | there.keys() if wanted.get(name) != there.get(name))


def write(folder: Path = FOLDER) -> list[str]:
    """Bring the files up to date; return the names of those that changed."""
    changed, wanted = drifted(folder), schemas()
    folder.mkdir(exist_ok=True)
    for name in changed:
        if name in wanted:
            (folder / name).write_bytes(wanted[name])
        else:
            (folder / name).unlink()
    return changed


def copy(folder: Path) -> None:
    """Write the schemas to another folder; what else is there stays."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in schemas().items():
        (folder / name).write_bytes(content)


def _schema(model: Any, name: str) -> bytes:  # noqa: ANN401 - a model class
    schema = _open(model.model_json_schema(mode="serialization"))
    return orjson.dumps({"$schema": _DIALECT, "$id": name, **schema}, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def _open(value: Any) -> Any:  # noqa: ANN401 - any JSON
    """Let go of `additionalProperties: false`: what we send is checked strictly, what receivers accept must bear new fields."""
    if isinstance(value, dict):
        return {key: _open(item) for key, item in value.items() if not (key == "additionalProperties" and item is False)}
    return [_open(item) for item in value] if isinstance(value, list) else value
