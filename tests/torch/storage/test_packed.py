"""Damage of packed members, with all packings of Python and without."""

import lzma
import sys
import zipfile
import zlib

import pytest

from esrgan_torch.storage.packed import packed_damage


def test_a_python_without_liblzma_reads_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    assert packed_damage() == (zipfile.BadZipFile, zlib.error, lzma.LZMAError)
    monkeypatch.setitem(sys.modules, "lzma", None)
    assert packed_damage() == (zipfile.BadZipFile, zlib.error)
