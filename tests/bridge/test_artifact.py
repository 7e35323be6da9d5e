"""The record that every artefact carries."""

import json

import pytest
from torch import nn

from esrgan_bridge.artifact import (
    FORMAT_VERSION,
    RECORD,
    from_json,
    metadata_of,
    read_metadata,
    verify_shards,
    write_record,
)
from esrgan_bridge.errors import ArtifactError, ConversionError
from esrgan_torch.networks.base import Provenance
from tests.torch.networks import small_compact, small_rrdb


def test_round_trip():
    for model in (small_rrdb(scale=2, unshuffle=2), small_compact(scale=3)):
        record = metadata_of(model)
        assert from_json(record.to_json()) == record


def test_what_a_runtime_needs():
    model = small_rrdb(scale=2, unshuffle=2)
    model.provenance = Provenance("some-weights", "basicsr", "ab" * 32, "BSD-3-Clause")
    record = metadata_of(model).to_dict()
    assert (record["name"], record["licence"]) == ("some-weights", "BSD-3-Clause")
    assert record["source_sha256"] == "ab" * 32
    assert (record["scale"], record["unshuffle"], record["receptive_field"]) == (2, 2, model.receptive_field)
    assert record["sizes"]["blocks"] == 2
    assert record["input_range"] == [0.0, 1.0]


@pytest.mark.parametrize("version", [0, FORMAT_VERSION + 1, None])
def test_another_version(version):
    record = metadata_of(small_rrdb()).to_dict()
    record["format_version"] = version
    with pytest.raises(
        ArtifactError, match=rf"format version {version}, this release reads version 1; convert"
    ):
        from_json(json.dumps(record), "model.json")


def test_fields_must_fit():
    record = metadata_of(small_rrdb()).to_dict()
    del record["scale"]
    with pytest.raises(ArtifactError, match="lacks or has too many fields: colour, scale"):
        from_json(json.dumps({**record, "colour": 1}))
    for text in ("[]", "{", "3"):
        with pytest.raises(ArtifactError, match="convert the network again"):
            from_json(text)


def test_a_folder_with_a_record(tmp_path):
    (tmp_path / "variables").mkdir()
    (tmp_path / "variables" / "data").write_bytes(b"values")
    write_record(tmp_path, metadata_of(small_rrdb()))
    assert list(verify_shards(tmp_path).shards) == ["variables/data"]
    (tmp_path / "variables" / "data").write_bytes(b"Values")
    with pytest.raises(ArtifactError, match="data is damaged: its sha256 is"):
        verify_shards(tmp_path)


def test_things_that_are_no_artefact(tmp_path):
    with pytest.raises(ArtifactError, match="is not a converted network"):
        read_metadata(tmp_path / "absent")
    (tmp_path / "model.json").write_text('{"format": "layers-model"}')
    with pytest.raises(ArtifactError, match=r"not a model\.json written by esrgan-torch"):
        read_metadata(tmp_path)
    (tmp_path / "text.onnx").write_text("no protobuf")
    with pytest.raises(ArtifactError, match=r"text\.onnx is not an ONNX file"):
        read_metadata(tmp_path / "text.onnx")
    (tmp_path / "empty.onnx").write_bytes(b"")
    with pytest.raises(ArtifactError, match="has no record"):
        read_metadata(tmp_path / "empty.onnx")
    (tmp_path / RECORD).write_text("{")
    with pytest.raises(ArtifactError, match="is not JSON"):
        read_metadata(tmp_path)


def test_another_network():
    class Other(nn.Module):
        pass

    with pytest.raises(ConversionError, match="RRDBNet, CompactNet and SPAN can be converted, not Other"):
        metadata_of(Other())
