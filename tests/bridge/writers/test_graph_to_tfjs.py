"""Route `direct`: files of TF.js that compute what the network computes, written with numpy alone."""

import json
import subprocess
import sys

import pytest
import torch

from esrgan_bridge.artifact import metadata_of, read_metadata, verify_shards
from esrgan_bridge.errors import ArtifactError
from esrgan_bridge.export.torch_to_onnx import export_onnx
from esrgan_bridge.lowering.onnx_to_tf import lower
from esrgan_bridge.writers.graph_to_tfjs import write_tfjs
from esrgan_bridge.writers.tfjs_model import SHARD_BYTES, read_model
from tests.support.interpreter import compute
from tests.torch.networks import small_compact, small_rrdb, small_span

NETWORKS = {
    **{f"rrdb x{scale}": (small_rrdb, {"blocks": 1, "scale": scale}) for scale in (1, 2, 4, 8)},
    "rrdb x2, unshuffle 2": (small_rrdb, {"blocks": 1, "scale": 2, "unshuffle": 2}),
    "rrdb x1, unshuffle 4": (small_rrdb, {"blocks": 1, "scale": 1, "unshuffle": 4}),
    **{f"compact x{scale}": (small_compact, {"scale": scale}) for scale in (1, 2, 3, 4)},
    **{f"span x{scale}": (small_span, {"scale": scale}) for scale in (1, 2, 3, 4)},
    "span x2, not normalised": (small_span, {"scale": 2, "normalised": False}),
}


def direct(model, folder, quantize="none"):
    graph = lower(export_onnx(model, folder / "model.onnx"))
    return write_tfjs(graph, folder / f"tfjs-{quantize}", metadata_of(model), quantize)


def nhwc(batch):
    return batch.permute(0, 2, 3, 1)


@pytest.mark.parametrize(("make", "sizes"), NETWORKS.values(), ids=NETWORKS)
def test_same_picture(make, sizes, tmp_path, rng):
    model = make(**sizes)
    folder = direct(model, tmp_path)
    batch = torch.rand((2, 3, 3 * model.unshuffle, 5 * model.unshuffle), generator=rng)
    found = compute(folder, {"input": nhwc(batch)}, "output")
    torch.testing.assert_close(found, nhwc(model(batch)), rtol=0, atol=1e-5)


@pytest.mark.parametrize("make", [small_rrdb, small_compact, small_span])
def test_trunk_and_tail_apart(make, tmp_path, rng):
    model = make()
    folder = direct(model, tmp_path)
    batch = torch.rand((1, 3, 12, 16), generator=rng)
    features = compute(folder, {"input": nhwc(batch)}, "features")
    expected = model(batch)
    # the left half of the tail, with its halo, is the left half of the picture
    left = compute(folder, {"features": features[:, :, : 8 + model.tail_halo]}, "output")
    torch.testing.assert_close(
        left[:, :, : 8 * model.scale], nhwc(expected)[:, :, : 8 * model.scale], rtol=0, atol=1e-5
    )


def test_nodes_and_names(tmp_path):
    folder = direct(small_rrdb(), tmp_path)
    document = json.loads((folder / "model.json").read_text())
    operations = {node["op"] for node in document["modelTopology"]["node"]}
    sizes = {"Shape", "StridedSlice", "ResizeNearestNeighbor"}
    assert operations == {"Placeholder", "Const", "_FusedConv2D", "ConcatV2", "AddV2", "Mul", *sizes}
    constants = [node["name"] for node in document["modelTopology"]["node"] if node["op"] == "Const"]
    assert constants == [entry["name"] for entry in document["weightsManifest"][0]["weights"]]
    assert document["signature"]["inputs"]["input"]["name"] == "input:0"
    assert [axis["size"] for axis in document["signature"]["outputs"]["output"]["tensorShape"]["dim"]] == [
        "-1", "-1", "-1", "3"
    ]  # fmt: skip


def test_same_bytes(tmp_path):
    files = []
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        folder = direct(small_rrdb(), tmp_path / name, "uint8")
        files.append({file.name: file.read_bytes() for file in folder.iterdir()})
    assert files[0] == files[1]


def test_neither_tensorflow_nor_tensorflowjs_is_imported(tmp_path):
    export_onnx(small_rrdb(blocks=1), tmp_path / "model.onnx")
    script = (
        "import sys; from pathlib import Path;"
        "from esrgan_bridge.artifact import read_metadata;"
        "from esrgan_bridge.lowering.onnx_to_tf import lower;"
        "from esrgan_bridge.writers.graph_to_tfjs import write_tfjs; file = Path(sys.argv[1]);"
        "write_tfjs(lower(file), file.parent / 'tfjs', read_metadata(file));"
        "print(sorted({'tensorflow', 'tensorflowjs'} & set(sys.modules)))"
    )
    command = [sys.executable, "-c", script, str(tmp_path / "model.onnx")]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment())
    assert done.stdout.strip() == "[]"
    assert (tmp_path / "tfjs" / "model.json").is_file()


def environment():
    """The packages of the project are found in a child too, installed or not."""
    import os

    return {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}


def test_shards(tmp_path):
    folder = direct(small_rrdb(features=64, growth=32, blocks=2), tmp_path)  # 5.9 MB
    shards = sorted(folder.glob("*.bin"))
    assert [file.name for file in shards] == ["group1-shard1of2.bin", "group1-shard2of2.bin"]
    assert shards[0].stat().st_size == SHARD_BYTES
    record = verify_shards(folder)
    assert list(record.shards) == [file.name for file in shards]
    assert read_metadata(folder).layout == "NHWC"

    damaged = bytearray(shards[1].read_bytes())
    damaged[1000] ^= 1
    shards[1].write_bytes(damaged)
    expected = record.shards[shards[1].name]
    with pytest.raises(ArtifactError, match=rf"shard2of2.bin is damaged: .* should be {expected}"):
        verify_shards(folder)
    shards[1].write_bytes(damaged[:-4])
    with pytest.raises(ArtifactError, match="not a sound graph model"):
        read_model(folder)
    shards[1].unlink()
    with pytest.raises(ArtifactError, match=r"shard2of2.bin is missing"):
        verify_shards(folder)
    with pytest.raises(ArtifactError, match=r"shard2of2.bin is missing"):
        read_model(folder)


def test_a_folder_that_is_in_use_is_left_alone(tmp_path):
    (tmp_path / "tfjs-none").mkdir()
    (tmp_path / "tfjs-none" / "mine.txt").write_text("kept")
    with pytest.raises(ArtifactError, match="exists already"):
        direct(small_rrdb(blocks=1), tmp_path)
    assert [file.name for file in (tmp_path / "tfjs-none").iterdir()] == ["mine.txt"]


def test_full_disk_leaves_nothing(tmp_path, monkeypatch):
    graph = lower(export_onnx(small_rrdb(blocks=1), tmp_path / "model.onnx"))

    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pathlib.Path.write_text", full)
    with pytest.raises(ArtifactError, match="No space left on device"):
        write_tfjs(graph, tmp_path / "tfjs", metadata_of(small_rrdb(blocks=1)))
    assert [file.name for file in tmp_path.iterdir()] == ["model.onnx"]
