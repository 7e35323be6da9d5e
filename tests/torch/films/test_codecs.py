"""What films are written with."""

from os import devnull

import av
import pytest

from esrgan_torch.films.codecs import CODECS, CONTAINERS

PAIRS = [(codec.name, suffix) for codec in CODECS.values() for suffix in codec.containers]


@pytest.mark.parametrize(("name", "suffix"), PAIRS)
def test_containers_hold_what_is_written_into_them(name: str, suffix: str) -> None:
    with av.open(devnull, "w", format=CONTAINERS[suffix]) as container:
        container.add_stream(CODECS[name].encoder, rate=25)  # a ValueError otherwise
