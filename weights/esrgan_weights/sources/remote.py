"""A file from any https:// address, kept in the cache under a name with its hash.

Nobody has said what the file should be, so it is checked for what it must not be (a web page, larger than
weights are), and its sha256 becomes part of its name: later the file is known to be the one that was fetched.
"""

import contextlib
import hashlib
import http.client
import re
import urllib.error
from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from urllib.parse import unquote, urlsplit

from esrgan_torch.storage.leftovers import END, mark, sweep
from esrgan_weights.cache import CHUNK, cache_folder, sha256_of
from esrgan_weights.errors import FetchError, OfflineError
from esrgan_weights.fetch_options import DEFAULT, FetchOptions
from esrgan_weights.sources.addresses import TIMEOUT, length_of, open_url, url_of
from esrgan_weights.sources.download import LARGEST, SourceError, disk_error, progress_bar

FOLDER = "urls"  # in the cache, with a folder for each address
DIGITS = 16  # of the hash in a file's name
PAGE = re.compile(rb"\s*(<!doctype html|<html)", re.IGNORECASE)
WEB_PAGE = (
    "the server answered with a web page; give the address of the file itself (on GitHub and on the "
    "Hugging Face hub that of the download button: /raw/ or /resolve/ in place of /blob/)"
)


def fetch_url(url: str, options: FetchOptions = DEFAULT) -> tuple[Path, str]:
    """The file at an https:// address: from the cache, else from there.

    Args:
        url: the address. Where its path ends with `.param`, the `.bin` beside it is fetched too.
        options: how it is fetched.

    Returns:
        The file in the cache, such as "mine-0123456789abcdef.pth", and its sha256; of ncnn's two files the
        path of the `.param` and the sha256 of the `.bin`.

    Raises:
        ConfigError: the address is not https (http is for this machine alone).
        OfflineError: `offline`, and the file is not in the cache.
        FetchError: the server did not give the file, or it cannot be stored.
    """
    urls = _with_partner(url_of(url))
    folder = cache_folder(options.cache) / FOLDER / hashlib.sha256(urls[0].encode()).hexdigest()[:DIGITS]
    name = re.sub(r"[^\w.-]", "_", unquote(urlsplit(urls[0]).path).rsplit("/", 1)[-1])[-80:].lstrip("._")
    stem, suffix = Path(name or "weights").stem, Path(name).suffix
    kept = _kept(folder, suffix)
    if kept:
        return kept
    if options.offline:
        raise OfflineError(
            f"{url} is not in the cache, and the network is off (--offline). Run once "
            f"without --offline, or "
            "download the file and give its path."
        )
    parts: list[Path] = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        sweep(folder)
        for one in urls:
            parts.append(folder / f".{mark()}{END}")
            _receive(one, parts[-1], options.progress)
        hashes = [sha256_of(part) for part in parts]
        target = folder / f"{stem}-{_digits(hashes)}{suffix}"
        for one, part in zip(reversed(urls), reversed(parts), strict=True):  # the one to open comes last
            part.replace(target.with_suffix(Path(urlsplit(one).path).suffix if len(urls) > 1 else suffix))
    except SourceError as error:
        shown = url.split("?")[0]  # what follows may be a key
        raise FetchError(f"{shown} could not be fetched: {error}", [(shown, str(error))]) from error
    except OSError as error:
        raise disk_error(error, folder / name) from error
    finally:
        for part in parts:
            part.unlink(missing_ok=True)
    return target, hashes[-1]


def _with_partner(url: str) -> tuple[str, ...]:
    """The address, and for ncnn's `.param` that of the `.bin`."""
    parts = urlsplit(url)
    if not parts.path.lower().endswith(".param"):
        return (url,)
    return url, parts._replace(path=parts.path[: -len(".param")] + ".bin").geturl()


def _kept(folder: Path, suffix: str) -> tuple[Path, str] | None:
    """As `fetch_url`, the file that was fetched earlier, if it is still what it was; others are removed."""
    for path in sorted(folder.glob(f"*{suffix}")) if folder.is_dir() else ():
        if path.name.startswith("."):  # on its way here
            continue
        files = [path, path.with_suffix(".bin")] if suffix.lower() == ".param" else [path]
        hashes = [sha256_of(file) for file in files if file.is_file()]
        if len(hashes) == len(files) and path.stem.endswith(f"-{_digits(hashes)}"):
            return path, hashes[-1]
        with contextlib.suppress(OSError):
            path.unlink()
    return None


def _digits(hashes: Sequence[str]) -> str:
    """What stands in a file's name: of its sha256, or of that of the hashes of several."""
    whole = hashes[0] if len(hashes) == 1 else hashlib.sha256(" ".join(hashes).encode()).hexdigest()
    return whole[:DIGITS]


def _receive(url: str, part: Path, progress: bool | None) -> None:
    """Write what the server sends to `part`.

    Raises:
        SourceError: it sent no file.
        OSError: `part` cannot be written.
    """
    name = unquote(urlsplit(url).path).rsplit("/", 1)[-1]
    with _open(url) as response:
        if response.headers.get_content_type() == "text/html":
            raise SourceError(WEB_PAGE)
        if response.status == http.client.PARTIAL_CONTENT:
            raise SourceError("the server sent a part of the file, and was asked for all of it")
        total = length_of(response)
        if total is not None and total > LARGEST:
            raise SourceError(f"it has {total:,} bytes, more than the limit for weights ({LARGEST:,} bytes)")
        received = 0
        with progress_bar(name, total, 0, progress) as bar, part.open("wb") as stream:
            while chunk := _read(response):
                if received == 0 and PAGE.match(chunk):
                    raise SourceError(WEB_PAGE)
                received += len(chunk)
                if received > LARGEST:
                    raise SourceError(f"it sends more than the limit for weights ({LARGEST:,} bytes)")
                stream.write(chunk)
                bar.update(len(chunk))
    if total is not None and received < total:
        raise SourceError(f"the connection ended after {received:,} of {total:,} bytes")
    if not received:
        raise SourceError("the server sent an empty file")


def _open(url: str) -> AbstractContextManager[http.client.HTTPResponse]:
    """The server's answer; whatever goes wrong is the source's fault, and not the disk's."""
    try:
        return open_url(url)
    except urllib.error.HTTPError as error:
        error.close()
        raise SourceError(f"HTTP {error.code} {error.reason}") from error
    except urllib.error.URLError as error:
        raise SourceError(f"no connection: {error.reason}") from error
    except (http.client.HTTPException, OSError) as error:
        raise SourceError(f"the connection broke: {type(error).__name__} {error}".rstrip()) from error


def _read(response: http.client.HTTPResponse) -> bytes:
    """The next bytes; what breaks here is the connection, not the disk."""
    try:
        return response.read1(CHUNK)
    except TimeoutError as error:
        raise SourceError(f"no answer for {TIMEOUT:g} s") from error
    except (http.client.HTTPException, OSError) as error:
        raise SourceError(f"the connection broke: {type(error).__name__} {error}".rstrip()) from error
