"""What the demo page asks of this computer: addresses below `/computer`, for who knows the token.

    GET    /computer                     the models, and what computes
    POST   /computer/pictures            the picture in the body as a PNG, which every browser can show
    POST   /computer/jobs?model=NAME     enlarge the picture in the body; scale=N or width=N
    GET    /computer/jobs/JOB            how far it is
    GET    /computer/jobs/JOB/picture    the result, a PNG
    DELETE /computer/jobs/JOB            forget it; one under way stops

Each request has the header `Authorization: Bearer TOKEN`. Another site's page does not know the token, nor
does another user of this machine; and the header alone makes a browser ask first, which is not answered.
"""

import hmac
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qs

from esrgan_cli.demo.computing import Computer, FullError, Job, as_png
from esrgan_torch.errors import ImageError
from esrgan_torch.words import whole_number

ROOT = "/computer"
LARGEST = 1 << 29
"""Bytes of a picture's file."""


@dataclass(frozen=True)
class Reply:
    """An answer: JSON, unless its kind says otherwise."""

    status: HTTPStatus
    body: bytes
    kind: str = "application/json"


def reply(status: HTTPStatus, **fields: Any) -> Reply:
    """An answer with these fields."""
    return Reply(status, json.dumps(fields).encode())


def is_allowed(authorization: str, token: str) -> bool:
    """Whether the header `Authorization` has the token."""
    return hmac.compare_digest(authorization.encode("utf-8", "surrogateescape"), f"Bearer {token}".encode())


def body_size(given: str | None) -> int | Reply:
    """The bytes of a picture that a request announces, or why they are not read."""
    if given is None or not given.isascii() or not given.isdigit():
        return reply(HTTPStatus.LENGTH_REQUIRED, error="a picture is sent with its Content-Length")
    size = whole_number(given)
    if size is None or size > LARGEST:
        return reply(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE, error=f"a picture's file has at most {LARGEST >> 20} MiB"
        )
    return size


def ask(computer: Computer, path: str) -> Reply:
    """Answer a GET."""
    name, _, part = path.removeprefix(f"{ROOT}/jobs/").partition("/")
    if path == ROOT:
        return reply(HTTPStatus.OK, models=computer.offers())
    job = computer.find(name)
    if job and not part:
        return reply(HTTPStatus.OK, **job.report())
    if job and part == "picture" and job.state == "done":
        return Reply(HTTPStatus.OK, job.result, "image/png")
    return reply(HTTPStatus.NOT_FOUND, error="there is no such picture any more")


def take(computer: Computer, path: str, query: str, data: bytes) -> Reply:
    """Answer a POST, of a picture's file."""
    if path == f"{ROOT}/jobs":
        return _start(computer, query, data)
    if path != f"{ROOT}/pictures":
        return reply(HTTPStatus.NOT_FOUND, error=f"pictures go to {ROOT}/jobs or {ROOT}/pictures")
    try:
        return Reply(HTTPStatus.OK, as_png(data), "image/png")
    except ImageError as error:
        return reply(HTTPStatus.UNPROCESSABLE_ENTITY, error=str(error))


def _start(computer: Computer, query: str, data: bytes) -> Reply:
    try:
        job = _job(parse_qs(query, max_num_fields=8), data, {each["name"] for each in computer.offers()})
    except ValueError as error:
        return reply(HTTPStatus.BAD_REQUEST, error=str(error))
    try:
        return reply(HTTPStatus.ACCEPTED, job=computer.start(job))
    except FullError as error:
        return reply(HTTPStatus.TOO_MANY_REQUESTS, error=str(error))


def _job(fields: Mapping[str, list[str]], data: bytes, models: set[str]) -> Job:
    model = fields.get("model", [""])[0]
    if model not in models:
        raise ValueError(f"there is no model {model[:100]!r}; GET {ROOT} lists the models")
    scale, width = (fields.get(name, [None])[0] for name in ("scale", "width"))
    if scale is not None and not (_is_number(scale) and 0 < float(scale) <= 32):
        raise ValueError(f"scale must be above 0 and at most 32, not {scale[:20]!r}")
    pixels = whole_number(width or "")
    if width is not None and (pixels is None or not 0 < pixels <= 1_000_000):
        raise ValueError(f"width is 1 to 1000000 pixels, not {width[:20]!r}")
    return Job(data, model, None if scale is None else float(scale), pixels)


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False
