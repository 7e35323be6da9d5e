"""The package's door: what it exports, and that opening it is cheap."""

import subprocess
import sys

import esrgan_weights


def test_everything_exported_is_there():
    for name in esrgan_weights.__all__:
        assert getattr(esrgan_weights, name) is not None
    assert callable(esrgan_weights.load)
    assert callable(esrgan_weights.fetch)
    assert callable(esrgan_weights.interpolate)


def test_names_do_not_change_once_the_modules_are_imported():
    import esrgan_weights.interpolation
    import esrgan_weights.loading
    import esrgan_weights.sources.fetching

    assert esrgan_weights.load is esrgan_weights.loading.load
    assert esrgan_weights.fetch is esrgan_weights.sources.fetching.fetch
    assert esrgan_weights.interpolate is esrgan_weights.interpolation.interpolate


def test_registry_and_fetch_need_no_torch():
    code = "import sys, esrgan_weights as w; w.models(); w.fetch; print('torch' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={"PYTHONPATH": ":".join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "False"
