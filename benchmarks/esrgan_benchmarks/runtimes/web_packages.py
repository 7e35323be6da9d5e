"""The npm packages of the browser runtimes beside TF.js: where they are, and how to fetch them.

    python -m esrgan_benchmarks.runtimes.web_packages

fetches them into `bench-web` in the user's cache folder. TF.js and the driver of the browser are those of the
bridge, see `esrgan_bridge.runners.tfjs_setup`.
"""

from pathlib import Path

from esrgan_bridge.runners.npm_packages import NpmPackages

PACKAGES = NpmPackages(
    "onnxruntime-web",
    Path(__file__).with_name("web"),
    "bench-web",
    "python -m esrgan_benchmarks.runtimes.web_packages",
)

if __name__ == "__main__":
    PACKAGES.main()
