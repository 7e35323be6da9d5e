"""What a test needs of the processor."""

import pytest
import torch

from esrgan_torch.engines import packed as engine_packed

needs_bfloat16 = pytest.mark.skipif(
    not engine_packed.is_available(torch.bfloat16), reason="needs a processor with bfloat16 arithmetic"
)
