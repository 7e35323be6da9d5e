import json
from pathlib import Path

from esrgan_torch.train.log import NAME, append, keep_until, read_log


def test_what_comes_again_is_taken_out_with_a_half_line(tmp_path: Path) -> None:
    for step in (10, 20, 30):
        append(tmp_path, {"step": step, "loss": 1.0})
    append(tmp_path, {"step": 20, "psnr": 30.0})
    with (tmp_path / NAME).open("a") as log:
        log.write('{"step": 4')
    assert keep_until(tmp_path, 20) == read_log(tmp_path)
    assert [line["step"] for line in read_log(tmp_path)] == [10, 20, 20]
    append(tmp_path, {"step": 30})
    assert [json.loads(line)["step"] for line in (tmp_path / NAME).read_text().splitlines()] == [
        10,
        20,
        20,
        30,
    ]
    assert keep_until(tmp_path, 0) == []
    assert keep_until(tmp_path / "none", 0) == []


def test_lines_of_others_cost_nothing(tmp_path: Path) -> None:
    (tmp_path / NAME).write_bytes(b'[1]\n\xff\n{"step": "x"}\n{"step": 1}\n')
    assert keep_until(tmp_path, 5) == [{"step": 1}]
