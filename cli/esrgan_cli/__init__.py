from importlib import import_module


def __getattr__(name: str) -> object:
    if name == "__version__":
        return getattr(import_module("esrgan_torch"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
