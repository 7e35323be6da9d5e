"""The npm packages that the TF.js runners need: where they are, and how to fetch them.

    python -m esrgan_bridge.runners.tfjs_setup

fetches them into $ESRGAN_TFJS, else into `tfjs` in the user's cache folder.
"""

from pathlib import Path

from esrgan_bridge.runners.npm_packages import NpmPackages

PACKAGES = NpmPackages(
    "TF.js",
    Path(__file__).parent.with_name("tfjs_runner"),
    "tfjs",
    "python -m esrgan_bridge.runners.tfjs_setup",
    "ESRGAN_TFJS",
)

if __name__ == "__main__":
    PACKAGES.main()
