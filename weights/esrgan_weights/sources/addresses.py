"""Addresses of files elsewhere: what is one, and how one is opened.

https://HOST/PATH           a file on a server; http:// for this machine alone
hf://OWNER/REPO/FILE@REV    a file on the Hugging Face hub; @REV may be left out, and is then "main"
"""

import http.client
import os
import re
import urllib.request
from contextlib import AbstractContextManager
from dataclasses import dataclass
from email.message import Message
from typing import IO, Any
from urllib.error import HTTPError
from urllib.parse import quote, urlsplit

from esrgan_torch.errors import ConfigError
from esrgan_torch.words import whole_number

HUB = "https://huggingface.co"
ENDPOINT = "HF_ENDPOINT"  # the hub's own variable for a mirror of it
LOOPBACK = ("127.0.0.1", "::1", "localhost")
HUB_SCHEME = "hf://"
SCHEMES = ("https://", "http://", HUB_SCHEME)
KEPT = "%/:=&?~+!$,;'@()*[]"  # of an address, what has been quoted or has a meaning
TIMEOUT = 10.0  # seconds to connect, and between two pieces


@dataclass(frozen=True)
class HubFile:
    """A file on the hub: "OWNER/REPO", its path in there, and the revision (a branch, tag or commit)."""

    repo: str
    path: str
    revision: str


def is_address(text: object) -> bool:
    """Whether it names a file elsewhere."""
    return isinstance(text, str) and text.lower().startswith(SCHEMES)


def parse_hub(address: str) -> HubFile:
    """The parts of "hf://OWNER/REPO/FILE[@REVISION]".

    Raises:
        ConfigError: it has another form.
    """
    # a branch's name may have slashes ("refs/pr/1"), a file's folder too: the last @ parts them
    found = re.fullmatch(r"hf://([\w.-]+/[\w.-]+)/([^@]+?)(?:@([^@\s]+))?", address, re.IGNORECASE)
    if not found or any(part in ("", ".", "..") for part in found[2].split("/")):
        raise ConfigError(
            f"{address}: a file on the hub is written hf://OWNER/REPO/FILE or .../FILE@REVISION"
        )
    return HubFile(found[1], found[2], found[3] or "main")


def url_of(address: str) -> str:
    """The URL that `address` stands for; $HF_ENDPOINT is honoured.

    Raises:
        ConfigError: not an address, or one that is not allowed: http:// to another machine.
    """
    if address.lower().startswith(HUB_SCHEME):
        file = parse_hub(address)
        endpoint = (os.environ.get(ENDPOINT) or HUB).rstrip("/")
        address = f"{endpoint}/{file.repo}/resolve/{quote(file.revision, safe='')}/{quote(file.path)}"
    if not is_allowed(address):
        raise ConfigError(
            f"{address}: weights are fetched by https:// (http:// from this machine alone), since "
            "others on the way could change an unencrypted file"
        )
    parts = urlsplit(address)
    if parts.username or parts.password:
        raise ConfigError(
            f"https://...@{parts.hostname}: an address with a user or a password is not fetched, since they "
            "would be stored and shown; download the file and give its path"
        )
    # as browsers do with what is copied from them: spaces and letters beyond ASCII
    return parts._replace(path=quote(parts.path, safe=KEPT), query=quote(parts.query, safe=KEPT)).geturl()


def is_allowed(url: str) -> bool:
    """Whether it is https, or http to this machine."""
    try:
        parts = urlsplit(url)
    except ValueError:  # such as a bracket that is not closed
        return False
    return bool(parts.hostname) and (
        parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK)
    )


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follows a redirect to an allowed address alone."""

    def http_error_302(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: Message
    ) -> Any:
        """Close the answer too where the address in it cannot be one, which urllib leaves open."""
        try:
            return super().http_error_302(req, fp, code, msg, headers)  # pyright: ignore[reportArgumentType]
        except ValueError:
            fp.close()
            raise

    http_error_301 = http_error_303 = http_error_307 = http_error_308 = http_error_302

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: Message,
        newurl: str,
    ) -> urllib.request.Request | None:
        if not is_allowed(newurl):
            place = urlsplit(newurl)
            reason = f"redirects to {place.scheme}://{place.hostname}, which is not https: not followed"
            raise HTTPError(newurl, code, reason, headers, fp)
        return super().redirect_request(req, fp, code, msg, headers, newurl)  # pyright: ignore[reportArgumentType]


def open_url(url: str, start: int = 0) -> AbstractContextManager[http.client.HTTPResponse]:
    """The server's answer, from byte `start` on where it can.

    Raises:
        ConfigError: see `url_of`.
        OSError, http.client.HTTPException: no answer; urllib's own kinds say more.
    """
    headers = {"User-Agent": "esrgan-torch", "Accept-Encoding": "identity"}
    if start:
        headers["Range"] = f"bytes={start}-"
    request = urllib.request.Request(url_of(url), headers=headers)
    try:
        return urllib.request.build_opener(_Redirects).open(request, timeout=TIMEOUT)
    except ValueError as error:  # a host that cannot be one, or a redirect to such a one
        raise http.client.InvalidURL(str(error)) from error


def length_of(response: http.client.HTTPResponse) -> int | None:
    """How many bytes the server announces; None where it says nothing, or no number."""
    stated = response.headers.get("Content-Length", "").strip()
    return whole_number(stated)
