"""A plan by rows, carried out: one strip or several, as the untiled picture."""

import numpy as np
import pytest

from esrgan_torch import Picture, Upscaler, upscaler
from esrgan_torch.errors import NonFiniteError, OutOfMemoryError
from esrgan_torch.networks.base import Generator
from esrgan_torch.tiling.modes import Tiling, plan_strips
from esrgan_torch.tiling.plan import Plan
from tests.torch.networks import small_compact, small_rrdb, small_span
from tests.torch.test_upscaler import photo

NETWORKS = {
    "compact": small_compact(),
    "rrdb": small_rrdb(blocks=1),
    "rrdb x2": small_rrdb(blocks=1, scale=2),
    "span": small_span(),
}


def in_strips(monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    """Have every plan be one by rows, of so many strips."""

    def planned(model: Generator, costs: object, height: int, width: int, *_: object) -> Plan:
        del costs
        fold = model.unshuffle
        sizes = -(-height // fold) * fold, -(-width // fold) * fold
        strips = plan_strips(*sizes, count, model.receptive_field, fold)
        assert len(strips) == count
        return Plan(tuple(strips), 128, 0, 0, True, 1, "of a test", by_rows=True)

    monkeypatch.setattr(upscaler, "make_plan", planned)


@pytest.mark.parametrize("engine", ["auto", "eager"])
@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("count", [1, 3])
def test_strips_are_as_the_whole(name: str, engine: str, count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    given = photo(151, 203)
    made = Upscaler(NETWORKS[name], "cpu", "float32", Tiling("off"), engine=engine)
    expected = made(given)
    in_strips(monkeypatch, count)
    found = made.upscale(Picture(given))
    assert found.plan.by_rows
    assert found.exact
    error = np.abs(found.picture.pixels.astype(np.int64) - expected)
    assert error.max() <= 1
    assert (error > 0).mean() < 1e-3


def test_alpha_gray_turns_and_16_bits(monkeypatch: pytest.MonkeyPatch) -> None:
    made = Upscaler(NETWORKS["rrdb"], "cpu", "float32", Tiling("off"), tta=True)
    given = photo(50, 70)
    gray = given[:, :, :1].astype(np.uint16) * 257
    pictures = [np.concatenate([given, given[:, :, :1]], axis=2), np.concatenate([gray, gray], axis=2)]
    expected = [made(picture) for picture in pictures]
    in_strips(monkeypatch, 2)
    for picture, large in zip(pictures, expected, strict=True):
        error = np.abs(made(picture).astype(np.int64) - large)
        assert error.max() <= (1 if large.dtype == np.uint8 else 8)


def test_half_precision_becomes_float32_and_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    made = Upscaler(NETWORKS["rrdb"], "cpu", "bfloat16")
    in_strips(monkeypatch, 1)
    result = made.upscale(Picture(photo(20, 20)))
    assert result.dtype == "float32"
    expected = Upscaler(NETWORKS["rrdb"], "cpu", "float32")(photo(20, 20))
    assert np.abs(result.picture.pixels.astype(np.int64) - expected).max() <= 1


def test_weights_that_are_damaged_and_memory_that_runs_out(monkeypatch: pytest.MonkeyPatch) -> None:
    broken = small_compact()
    broken.body[-1].weight.fill_(float("nan"))
    made = Upscaler(broken, "cpu", "float32")
    in_strips(monkeypatch, 1)
    with pytest.raises(NonFiniteError):
        made(photo(20, 20))

    def short(*_: object) -> None:
        raise RuntimeError("out of memory: made up by a test")

    made = Upscaler(NETWORKS["compact"], "cpu", "float32", engine="eager")
    monkeypatch.setattr("esrgan_torch.engines.row_layers.LayerRowTrunk.rows", short)
    with pytest.raises(OutOfMemoryError, match="20 columns by rows"):
        made(photo(20, 20))


def test_progress_goes_on_from_strip_to_strip(monkeypatch: pytest.MonkeyPatch) -> None:
    in_strips(monkeypatch, 3)
    shares: list[float] = []
    Upscaler(NETWORKS["compact"], "cpu", "float32")(photo(60, 150), progress=shares.append)
    assert shares == sorted(shares)
    assert len({round(share, 3) for share in shares}) >= 4
    assert shares[-1] == 1
