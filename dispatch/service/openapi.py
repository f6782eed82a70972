"""The OpenAPI 3.1 document: what FastAPI finds in the routes, and the bodies that are read by hand."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from dispatch.service.problems import MEDIA_TYPE
from dispatch.service.schemas import NewDecision, Petition, Petitions, ProblemBody

_DESCRIPTION = """Suggests responsible units (承办单位) for residents' petitions.

Keys: `Authorization: Bearer mq_…`, made by `minqing keys add`. Errors: `application/problem+json` (RFC 9457). A request id comes
back as `X-Request-Id`. Within v1 members may be added to answers; pass over what you do not know."""
_REF = "#/components/schemas/{model}"
_SAID = {
    400: "Not JSON.", 401: "No valid key.", 403: "The key lacks the scope.", 404: "Not there.", 406: "Not available in this form.",
    408: "The body came too slowly.", 409: "In conflict with how things stand.", 413: "The body is too large.", 415: "The body is no JSON.",
    422: "The content does not fit.", 429: "Too many requests; see Retry-After.", 500: "Something went wrong; the log has it.",
    503: "Busy or not available; see Retry-After.",
}  # fmt: skip
#: What any route with a key may answer.
_ANY = (401, 403, 422, 429, 500, 503)


def problems(*statuses: int, keyless: bool = False) -> dict[int | str, dict[str, Any]]:
    """Return the documentation of a route's errors, with those that any route has."""
    schema = {"schema": {"$ref": _REF.format(model=ProblemBody.__name__)}}
    found = sorted({*statuses, *((422, 429, 500, 503) if keyless else _ANY)})
    return {status: {"description": _SAID[status], "content": {MEDIA_TYPE: schema}} for status in found}


def body(*models: type[BaseModel]) -> dict[str, Any]:
    """Return the documentation of a JSON body that is one of the types."""
    refs = [{"$ref": _REF.format(model=model.__name__)} for model in models]
    schema: dict[str, Any] = refs[0] if len(refs) == 1 else {"anyOf": refs}
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}


#: Documentation of a route that wants a key unless the operator opened it.
MAYBE_KEY: dict[str, Any] = {"security": [{"key": []}, {}]}


def etag() -> dict[str, Any]:
    """Return the documentation of an ETag header."""
    return {"description": "Version of the answer, for If-None-Match.", "schema": {"type": "string"}}


def install(app: FastAPI) -> None:
    """Make the application describe its API, without the console's pages."""

    def document() -> dict[str, Any]:
        if app.openapi_schema is None:
            found = get_openapi(
                title=app.title, version=app.version, openapi_version="3.1.0", description=_DESCRIPTION, routes=app.routes,
                license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
            )  # fmt: skip
            found["paths"] = {path: item for path, item in found["paths"].items() if path.startswith(_OURS)}
            _, made = models_json_schema([(model, "validation") for model in (Petition, Petitions, NewDecision, ProblemBody)], ref_template=_REF)
            schemas = found.setdefault("components", {}).setdefault("schemas", {})
            for name, schema in made["$defs"].items():
                schemas.setdefault(name, schema)
            for name in ("HTTPValidationError", "ValidationError"):
                schemas.pop(name, None)
            app.openapi_schema = found
        return app.openapi_schema

    app.openapi = document  # type: ignore[method-assign]


_OURS = ("/v1/", "/open311/", "/healthz", "/readyz", "/metrics")
