"""JSON bodies in and out."""

from __future__ import annotations

import hashlib
from typing import Any, TypeVar

import orjson
from fastapi import Request, Response
from pydantic import BaseModel, ValidationError

from dispatch.service.context import service_of
from dispatch.service.intake import parse
from dispatch.service.problems import Problem

M = TypeVar("M", bound=BaseModel)


async def read_json(request: Request) -> Any:  # noqa: ANN401 - JSON
    """Return the JSON body of a request.

    Raises:
        Problem: 415 for another type, 400 for what is no JSON; 408 and 413 come from the guard.
    """
    kind, _, parameters = request.headers.get("content-type", "").partition(";")
    charset = parameters.partition("charset=")[2].strip().strip('"').lower()
    if kind.strip().lower() != "application/json" or charset not in ("", "utf-8", "utf8"):
        raise Problem(415, "unsupported-media-type", "请求体应为 application/json（UTF-8） the body must be JSON in UTF-8")
    return parse(await request.body(), service_of(request).settings.max_depth)


def validated(model: type[M], value: Any) -> M:  # noqa: ANN401 - JSON
    """Return a value as one of the API's types.

    Raises:
        Problem: 422 with place and kind of each error, without what was sent.
    """
    try:
        return model.model_validate(value)
    except ValidationError as error:
        known = set(model.model_fields)
        found = []
        for item in error.errors(include_url=False, include_context=False, include_input=False)[:20]:
            first = str(item["loc"][0]) if item["loc"] else ""
            # The name of an unknown field is the client's and may be anything.
            found.append({"where": f"body.{first}" if first in known else "body", "code": str(item["type"])})
        raise Problem(422, "invalid", "请求体不符合要求 the body does not fit: see errors", errors=found) from None


def json_answer(request: Request, value: Any, status: int = 200, *, tag: bool = False) -> Response:  # noqa: ANN401 - JSON
    """Return a value as the answer; with a `tag`, 304 for a client that has it already."""
    content = orjson.dumps(value)
    if not tag:
        return Response(content, status, media_type="application/json")
    etag = f'"{hashlib.blake2b(content, digest_size=12).hexdigest()}"'
    headers = {"ETag": etag, "Cache-Control": "private, no-cache"}
    asked = {item.strip().removeprefix("W/") for item in request.headers.get("if-none-match", "").split(",")}
    if etag in asked or "*" in asked:
        return Response(None, 304, headers)
    return Response(content, status, headers, "application/json")
