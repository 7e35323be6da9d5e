"""Which low-resolution file belongs to an original, by the names that data sets have."""

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path

from esrgan_torch.errors import ConfigError, PairError

PLACE = "{}"
"""Where the original's name stands in a template, as in BasicSR's `filename_tmpl`: "{}x4"."""


def check_template(template: str) -> None:
    """Raise `ConfigError` where a template, unless empty, has not one place for the original's name."""
    if template and template.count(PLACE) != 1:
        raise ConfigError(
            f'a template for names holds {PLACE} once, for the original\'s name, such as "{PLACE}x4" where '
            f"0801x4.png belongs to 0801.png; given {template!r}"
        )


def core_of(stem: str, scale: int) -> str:
    """A name without what tells an original from its low-resolution picture.

    "0801x4", "0801_LR", "0801_SRF_4_HR" and "0801" have one core at scale 4. Another scale's mark stays.
    """
    marks = rf"[_\-. ]?x{scale}|[_\-. ](?:{scale}x|SRF[_\-]?{scale}|[LH]R|[LH]Q|GT|LR(?:BI|bic)|bic|bicubic)"
    found = re.fullmatch(rf"(.+?)(?:{marks})+", stem, re.IGNORECASE)
    return found[1] if found else stem


class Partners:
    """The low-resolution files of a folder, asked for by originals.

    Args:
        folder: the files' root; a partner lies below it where its original lies below the originals' root.
        files: all low-resolution files.
        originals: all originals, relative to their root.
        scale: how many times an original is larger along each axis.
        template: see `PLACE`; where it is given it alone counts. Empty: the same name, else the same core.
    """

    def __init__(
        self, folder: Path, files: Iterable[Path], originals: Sequence[Path], scale: int, template: str = ""
    ) -> None:
        check_template(template)
        self.folder, self.scale, self.template = folder, scale, template
        self._by_stem: dict[tuple[Path, str], list[Path]] = defaultdict(list)
        self._by_core: dict[tuple[Path, str], list[Path]] = defaultdict(list)
        own = {(path.parent, path.stem) for path in originals}
        for file in files:
            place = file.relative_to(folder).parent
            self._by_stem[place, file.stem].append(file)
            if (place, file.stem) not in own:  # the partner of an original with that very name
                self._by_core[place, core_of(file.stem, scale)].append(file)

    def of(self, original: Path) -> Path:
        """The partner of an original, which is given relative to its root.

        Raises:
            PairError: there is none, or more than one.
        """
        place, stem = original.parent, original.stem
        if self.template:
            found = self._by_stem.get((place, self.template.replace(PLACE, stem)), [])
        else:
            found = self._by_stem.get((place, stem), []) or self._by_core.get(
                (place, core_of(stem, self.scale)), []
            )
        exact = [file for file in found if file.name == original.name]
        found = exact or found
        if len(found) == 1:
            return found[0]
        if found:
            raise PairError(
                f"{original} has several low-resolution pictures in {self.folder}: "
                f"{', '.join(file.name for file in found)}"
            )
        wanted = self.template.replace(PLACE, stem) if self.template else f"{stem} or {stem}x{self.scale}"
        raise PairError(f"{original} has no low-resolution picture in {self.folder}: none is called {wanted}")
