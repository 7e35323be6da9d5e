"""`python -m esrgan_cli` is the `esrgan` command."""

import sys

from esrgan_cli.main import main

sys.exit(main())
