"""A file on the Hugging Face hub, by huggingface_hub: its cache, its tokens, its mirrors ($HF_ENDPOINT)."""

import os
from pathlib import Path
from typing import Any

from esrgan_torch.errors import ConfigError
from esrgan_weights.errors import FetchError, OfflineError
from esrgan_weights.fetch_options import DEFAULT, FetchOptions
from esrgan_weights.sources.addresses import ENDPOINT, HubFile, parse_hub, url_of

OFFLINE = "HF_HUB_OFFLINE"


def fetch_hub(address: str, options: FetchOptions = DEFAULT) -> Path:
    """The file that "hf://OWNER/REPO/FILE[@REVISION]" names, in the hub's own cache (`HF_HOME`).

    Args:
        address: the file. Where it ends with `.param`, the `.bin` beside it is fetched too.
        options: of them `offline` alone, which the variable HF_HUB_OFFLINE sets too.

    Raises:
        ConfigError: another form, huggingface_hub is not installed, or HF_ENDPOINT is not https.
        OfflineError: offline, and the file is not in the hub's cache.
        FetchError: the hub did not give the file.
    """
    file = parse_hub(address)
    url_of(address)  # the endpoint is https
    try:
        from huggingface_hub import constants
    except ImportError as error:
        raise ConfigError(
            f'{address}: files on the hub need huggingface_hub ({error}): pip install "esrgan-torch[hub]"'
        ) from error
    offline = (
        options.offline
        or constants.HF_HUB_OFFLINE
        or os.environ.get(OFFLINE, "0").upper() in ("1", "TRUE", "YES")
    )
    path = _fetch(file, file.path, offline, address)
    if path.suffix.lower() == ".param":
        _fetch(file, str(Path(file.path).with_suffix(".bin").as_posix()), offline, address)
    return path


def _fetch(file: HubFile, path: str, offline: bool, address: str) -> Path:
    import huggingface_hub
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

    library: Any = huggingface_hub  # typed in part only
    try:
        found = library.hf_hub_download(
            file.repo,
            path,
            revision=file.revision,
            endpoint=os.environ.get(ENDPOINT) or None,  # the library reads it once, when it is imported
            library_name="esrgan-torch",
            local_files_only=offline,
        )
    except LocalEntryNotFoundError as error:
        if offline:
            raise OfflineError(
                f"{address} is not in the hub's cache, and the network is off (--offline or {OFFLINE}). "
                "Fetch it once online."
            ) from error
        raise FetchError(
            f"{address} could not be fetched: {_first_line(error)}", [(address, str(error))]
        ) from error
    except (HfHubHTTPError, ValueError, OSError) as error:
        reason = f"{type(error).__name__}: {_first_line(error)}"
        raise FetchError(f"{address} could not be fetched: {reason}", [(address, reason)]) from error
    return Path(str(found))


def _first_line(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0] if lines else type(error).__name__
