"""The layouts that files are written in, and the check that a file has all the names of one.

Which layout a file has is found out in `candidates`.
"""

from collections.abc import Iterable

from esrgan_weights.errors import CheckpointError

SHOWN = 4  # names in an error message

LAYOUTS = ("basicsr", "neosr", "mmagic", "new-arch", "old-arch", "kair", "lornatang")
PREFIXES = {"mmagic": "generator."}  # what each name begins with when written
NCNN = ("ncnn", "ncnn-float16")
WRITABLE = ("safetensors", *LAYOUTS, *NCNN)


def check_names(found: Iterable[str], expected: Iterable[str], what: str) -> None:
    """Compare the names in a file with those of the network that it announces.

    Raises:
        CheckpointError: a name is missing or unexpected; the first few are given.
    """
    have, need = list(found), list(expected)
    have_set, need_set = set(have), set(need)
    missing = [name for name in need if name not in have_set]
    unexpected = [name for name in have if name not in need_set]
    if missing or unexpected:
        parts = [
            f"{len(names)} {title}: {', '.join(names[:SHOWN])}{', ...' if len(names) > SHOWN else ''}"
            for title, names in (("missing", missing), ("unexpected", unexpected))
            if names
        ]
        raise CheckpointError(f"the tensors of this {what} do not fit together; {'; '.join(parts)}")
