"""Records from YAML, strictly: unknown and repeated keys, wrong kinds and values out of range are errors that name the key."""

from __future__ import annotations

import dataclasses
import datetime
import difflib
import types
import typing
from functools import cache
from pathlib import Path
from typing import Any

import yaml


class ConfigError(ValueError):
    """A configuration that cannot be used; the message names the file and the key."""


_Base: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the compiled one where it is there


class _Loader(_Base):  # type: ignore[misc]
    """YAML in which a key given twice is an error, not a silent loss of the first."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[Any] = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if key_node.tag != "tag:yaml.org,2002:merge" and key in seen:
                raise yaml.MarkedYAMLError(problem=f"key {key!r} is given twice", problem_mark=key_node.start_mark)
            seen.add(key)
        return super().construct_mapping(node, deep)


def read(path: Path) -> dict[str, Any]:
    """Return the content of a YAML file; an empty one is an empty mapping.

    Raises:
        ConfigError: if it is not readable as YAML in UTF-8, gives a key twice or holds no mapping.
    """
    try:
        with path.open(encoding="utf-8-sig") as stream:
            content = yaml.load(stream, Loader=_Loader)  # noqa: S506 - a SafeLoader
    except OSError as error:
        msg = f"{path}: cannot be read ({error.strerror or error})"
        raise ConfigError(msg) from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        msg = f"{path}: not YAML in UTF-8: {' '.join(str(error).split())}"
        raise ConfigError(msg) from error
    if content is None:
        return {}
    if not isinstance(content, dict):
        msg = f"{path}: must hold keys and values at the top"
        raise ConfigError(msg)
    return content


@cache
def _hints(cls: type) -> dict[str, Any]:
    """Return the settable fields of a configuration class with their types."""
    hints = typing.get_type_hints(cls)
    return {f.name: hints[f.name] for f in dataclasses.fields(cls) if f.init}


_PLAIN = {bool: "true or false", int: "a whole number", float: "a number", str: "text", datetime.date: "a date"}


def _fail(source: str, key: str, problem: str) -> typing.NoReturn:
    msg = f"{source}: {key or 'top level'}: {problem}"
    raise ConfigError(msg)


def convert(hint: Any, value: Any, source: str, key: str, *, partial: bool) -> Any:  # noqa: ANN401
    """Return `value` as the type `hint`, checking keys, kinds and ranges; `partial` lets keys be absent.

    An overlay names only what differs, so its mappings are checked with `partial` and not built.
    """
    if isinstance(hint, type) and dataclasses.is_dataclass(hint):
        return _convert_record(hint, value, source, key, partial=partial)
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if origin is types.UnionType:  # only `int | None` occurs
        return None if value is None else convert(args[0], value, source, key, partial=partial)
    if origin is dict:
        if not isinstance(value, dict):
            _fail(source, key, "must be a mapping")
        return {
            convert(args[0], k, source, f"{key}.{k}", partial=False): convert(
                args[1], v, source, f"{key}.{k}", partial=partial
            )
            for k, v in value.items()
        }
    if origin is tuple:
        if not isinstance(value, list):
            _fail(source, key, "must be a list")
        return tuple(convert(args[0], v, source, f"{key}[{i}]", partial=False) for i, v in enumerate(value))
    if hint is float and type(value) is int:
        value = float(value)
    if type(value) is not hint or value != value:
        quotes = "; write codes and times in quotes" if hint is str else ""
        _fail(source, key, f"must be {_PLAIN[hint]}, not {value!r}{quotes}")
    return value


def _convert_record(cls: type, value: Any, source: str, key: str, *, partial: bool) -> Any:  # noqa: ANN401
    hints = _hints(cls)
    if not isinstance(value, dict):
        _fail(source, key, f"must be a mapping with keys such as {', '.join(list(hints)[:3])}")
    for name in value:
        if name not in hints:
            near = difflib.get_close_matches(str(name), hints, n=1, cutoff=0.0)
            _fail(source, f"{key}.{name}".lstrip("."), f"unknown key; the nearest known key is {near[0]!r}")
    given = {
        name: convert(hints[name], item, source, f"{key}.{name}".lstrip("."), partial=partial)
        for name, item in value.items()
    }
    if partial:
        return given
    try:
        return cls(**given)
    except TypeError:
        missing = [f.name for f in dataclasses.fields(cls) if f.init and f.name not in given and _required(f)]
        _fail(source, key, f"must also give {', '.join(missing)}")
    except ConfigError:
        raise
    except ValueError as error:
        _fail(source, key, str(error))


def _required(item: dataclasses.Field[Any]) -> bool:
    return item.default is dataclasses.MISSING and item.default_factory is dataclasses.MISSING
