import hashlib

import numpy as np
import pytest

from esrgan_bridge.parity.probes import make_probes


def test_names_and_sizes():
    assert [(probe.name, probe.size) for probe in make_probes()] == [
        ("flat", "16x16"),
        ("checkerboard", "16x16"),
        ("odd", "17x23"),
        ("ramp", "24x24"),
        ("noise", "24x24"),
        ("eye", "24x24"),
        ("fur", "24x24"),
    ]


def test_they_never_change():
    """Recorded numbers belong to these very pictures."""
    digest = hashlib.sha256(b"".join(probe.pixels.tobytes() for probe in make_probes()))
    assert digest.hexdigest() == "c2c6d76a15353a3fddde15dd70af8928ff69d6696382a4b16a2906da898e7607"


@pytest.mark.parametrize("multiple", [1, 2, 4])
def test_sizes_are_multiples(multiple):
    for probe in make_probes(multiple=multiple):
        assert not any(side % multiple for side in probe.pixels.shape[:2])
    assert [probe.size for probe in make_probes(multiple=4)][2] == "16x20"


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_channels(channels):
    for probe in make_probes(channels):
        assert probe.batch().shape == (1, *probe.pixels.shape)
        assert probe.pixels.shape[2] == channels


def test_batch_is_the_picture_in_0_to_1():
    for probe in make_probes():
        batch = probe.batch()
        assert batch.dtype == np.float32
        assert 0 <= batch.min() <= batch.max() <= 1
        np.testing.assert_array_equal(np.rint(batch[0] * 255), probe.pixels)


def test_no_symmetry_hides_a_fault():
    """Some probe must change under each mirroring, transposition and exchange of channels."""
    changes = {
        "left and right": lambda pixels: pixels[:, ::-1],
        "top and bottom": lambda pixels: pixels[::-1],
        "transposed": lambda pixels: pixels.transpose(1, 0, 2),
        "channels": lambda pixels: pixels[:, :, ::-1],
    }
    for name, change in changes.items():
        assert any(
            change(probe.pixels).shape != probe.pixels.shape or (change(probe.pixels) != probe.pixels).any()
            for probe in make_probes()
        ), name
