"""Networks of others by the real spandrel, from files with random weights."""

import io
import logging
import warnings
from importlib import import_module
from importlib.util import find_spec

import numpy as np
import pytest
import torch

from esrgan_bridge.chain import convert
from esrgan_bridge.errors import ConversionError
from esrgan_torch import Upscaler
from esrgan_torch.metrics.torchvision_import import import_torchvision
from esrgan_torch.networks.foreign import ForeignNetwork
from esrgan_weights import load, own, save, spandrel_models
from esrgan_weights.errors import CheckpointError, UnknownArchitectureError
from esrgan_weights.formats.write import save as write
from tests.weights.test_foreign_networks import SMALL

# several scales, multiples of sizes, one channel
SMALL_AND_QUICK = (
    "CRAFT.__arch.CRAFT.CRAFT",
    "DnCNN.__arch.network_dncnn.DnCNN",
    "MoSR.__arch.mosr_arch.MoSR",
    "NAFNet.__arch.NAFNet_arch.NAFNet",
    "PLKSR.__arch.RealPLKSR.RealPLKSR",
    "RGT.__arch.rgt.RGT",
    "SAFMN.__arch.safmn.SAFMN",
    "Swin2SR.__arch.Swin2SR.Swin2SR",
)

if not find_spec("spandrel"):  # importing it here would come before torchvision is made to start
    pytest.skip("spandrel is not installed", allow_module_level=True)


@pytest.fixture(scope="module")
def classes():
    """spandrel's own classes."""
    import_torchvision()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from spandrel.architectures.DnCNN import DnCNN
        from spandrel.architectures.SAFMN import SAFMN
        from spandrel.architectures.SwinIR import SwinIR
    return {"SAFMN": SAFMN, "SwinIR": SwinIR, "DnCNN": DnCNN}


@pytest.fixture(scope="module")
def network(classes):
    torch.manual_seed(0)
    return classes["SAFMN"](dim=8, n_blocks=1, upscaling_factor=2).eval()


@pytest.fixture
def file(network, tmp_path):
    path = tmp_path / "safmn.pth"
    torch.save({"params": dict(network.state_dict())}, path)
    return path


@pytest.fixture
def picture(rng):
    return torch.randint(0, 256, (20, 23, 3), generator=rng, dtype=torch.uint8).numpy()


def test_the_picture_is_spandrels_own(file, picture, caplog):
    import spandrel

    with caplog.at_level(logging.WARNING):
        model = load(file)
    assert isinstance(model, ForeignNetwork)
    assert (model.scale, model.in_channels, model.architecture) == (2, 3, "SAFMN (8dim, 1nb)")
    assert model.provenance.layout == "spandrel"
    assert "safmn.pth: SAFMN (8dim, 1nb), run by spandrel 0." in caplog.text
    assert "(MIT); licence of the weights: not stated; exact only where" in caplog.text
    batch = torch.from_numpy(picture).permute(2, 0, 1)[None].float() / 255
    expected = spandrel.ModelLoader("cpu").load_from_file(file)(batch)[0].permute(1, 2, 0).mul(255).round()
    result = Upscaler(model, "cpu")(picture)
    assert np.abs(result.astype(int) - expected.numpy()).max() <= 1
    assert result.std() > 1


def test_a_network_with_windows(classes, tmp_path, picture):
    """SwinIR needs sizes that its windows divide; spandrel pads, and warns at building."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        network = classes["SwinIR"](
            img_size=64,
            depths=[2],
            embed_dim=8,
            num_heads=[2],
            window_size=8,
            mlp_ratio=2.0,
            upscale=4,
            upsampler="pixelshuffledirect",
            resi_connection="1conv",
        )
    torch.save(network.state_dict(), tmp_path / "swinir.pth")
    model = load(tmp_path / "swinir.pth")
    assert "its makers advise against tiles" in model.notice
    assert Upscaler(model, "cpu")(picture).shape == (80, 92, 3)


@pytest.mark.parametrize("where", SMALL_AND_QUICK)
def test_pictures_of_many_networks(where, tmp_path, picture):
    """The same as spandrel's own, whatever its channels and sizes."""
    import spandrel

    module, _, name = where.rpartition(".")
    import_torchvision()
    torch.manual_seed(0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        network = getattr(import_module(f"spandrel.architectures.{module}"), name)(**SMALL[where][0])
        torch.save(network.state_dict(), tmp_path / "a.pth")
        own_model = spandrel.ModelLoader("cpu").load_from_file(tmp_path / "a.pth")
    model = load(tmp_path / "a.pth")
    pixels = picture[:, :, : model.in_channels]
    expected = own_model(torch.from_numpy(pixels.copy()).permute(2, 0, 1)[None].float() / 255)
    expected = expected[0].permute(1, 2, 0).mul(255).round().numpy()
    assert np.abs(Upscaler(model, "cpu")(pixels).astype(int) - expected).max() <= 1


def test_averaged_weights_go_first(network, tmp_path):
    averaged = {name: tensor * 0 + 1 for name, tensor in network.state_dict().items()}
    torch.save({"params": network.state_dict(), "params_ema": averaged}, tmp_path / "a.pth")
    assert float(load(tmp_path / "a.pth").network.to_feat.weight.mean()) == 1


def test_a_network_that_only_spandrel_recognises(file, picture, monkeypatch):
    monkeypatch.setattr(spandrel_models.foreign, "identify", lambda keys, **_: None)
    assert load(file).architecture == "SAFMN (8dim, 1nb)"


def test_safetensors_with_a_licence(network, tmp_path):
    from safetensors.torch import save_file

    save_file(
        dict(network.state_dict()), tmp_path / "a.safetensors", {"licence": "CC-BY-4.0", "source": "a place"}
    )
    model = load(tmp_path / "a.safetensors")
    assert (model.provenance.licence, model.provenance.source) == ("CC-BY-4.0", "a place")
    assert "licence of the weights: CC-BY-4.0" in model.notice


def test_without_the_extra(file, monkeypatch):
    monkeypatch.setattr(spandrel_models, "find_spec", lambda name: None)
    with pytest.raises(UnknownArchitectureError, match=r'pip install "esrgan-torch\[spandrel\]"$'):
        load(file)


def test_what_spandrel_does_not_know_either(tmp_path):
    torch.save({"weight": torch.zeros(3)}, tmp_path / "a.pth")
    with pytest.raises(UnknownArchitectureError, match="none of ESRGAN"):
        load(tmp_path / "a.pth")


def test_what_is_refused_for_a_reason_stays_so(small_rrdb, tmp_path):
    """spandrel would read a file whose name says that it is of scale 3 as one of scale 2."""
    from esrgan_torch.networks.rrdb import RRDBNet

    path = save(RRDBNet(8, 1, 4, scale=2).requires_grad_(False), tmp_path / "a.pth", "old-arch")
    with pytest.raises(UnknownArchitectureError, match="of scale 3"):
        load(path.rename(tmp_path / "3x_a.pth"))


def test_a_network_that_spandrel_cannot_load(network, tmp_path):
    state = dict(network.state_dict())
    state.pop("to_feat.weight")
    torch.save(state, tmp_path / "a.pth")
    with pytest.raises(CheckpointError, match="it is SAFMN, and spandrel cannot load it: "):
        load(tmp_path / "a.pth")


def test_networks_for_something_else(file, monkeypatch):
    monkeypatch.setattr(spandrel_models, "PURPOSES", ("Restoration",))
    with pytest.raises(
        UnknownArchitectureError, match="it is SAFMN, which spandrel reads, but it is not for"
    ):
        load(file)


def test_nothing_of_a_pickle_runs(tmp_path):
    class Evil:
        def __reduce__(self):
            return (open, (str(tmp_path / "ran"), "w"))

    torch.save({"to_feat.weight": Evil()}, tmp_path / "evil.pth")
    with pytest.raises(CheckpointError):
        load(tmp_path / "evil.pth")
    assert not (tmp_path / "ran").exists()


def test_an_open_file_is_not_tried(file):
    with pytest.raises(UnknownArchitectureError, match="it is SAFMN"):
        load(io.BytesIO(file.read_bytes()))


def test_kept_under_a_name(file, picture, tmp_path, monkeypatch):
    monkeypatch.setenv("ESRGAN_DATA", str(tmp_path / "data"))
    own.add(file, "my-safmn", licence="MIT")
    model = load("my-safmn")
    assert (model.provenance.name, model.provenance.licence) == ("my-safmn", "MIT")
    assert np.array_equal(Upscaler(model, "cpu")(picture), Upscaler(load(file), "cpu")(picture))
    [kept] = own.own_models()
    assert (kept.scale, kept.facts["architecture"]) == (2, "SAFMN (8dim, 1nb)")


def test_it_cannot_be_written_or_converted(file, tmp_path):
    with pytest.raises(CheckpointError, match="not ForeignNetwork"):
        write(load(file), tmp_path / "b.pth", "basicsr")
    with pytest.raises(ConversionError, match="not ForeignNetwork"):
        convert(load(file), tmp_path / "net", to="onnx")
