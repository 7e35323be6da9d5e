"""Run a step by the kernel and the sizes that a table names."""

from esrgan_torch.engines.cuda.border import launch_border
from esrgan_torch.engines.cuda.conv_rows import launch_rows
from esrgan_torch.engines.cuda.conv_taps import launch_taps
from esrgan_torch.engines.cuda.steps import ClearBorder, Conv, Step
from esrgan_torch.engines.cuda.tuning import Launch, Table
from esrgan_torch.engines.cuda.upsample import launch_upsample


def run_step(step: Step, table: Table) -> None:
    """Launch the step's kernel on the current stream."""
    if isinstance(step, ClearBorder):
        launch_border(step)
    elif isinstance(step, Conv):
        launch = conv_launch(step, table)
        (launch_taps if launch.kind == "taps" else launch_rows)(step, launch)
    else:
        launch_upsample(step, table.for_pixels(step.source.shape.pixels).upsample)


def conv_launch(step: Conv, table: Table) -> Launch:
    """How the table launches a convolution of this size on a picture of this size."""
    table = table.for_pixels(step.source.buffer.shape.pixels)
    return table.conv(step.source.count, step.outputs, len(step.residuals))


def kernel_name(step: Step, table: Table) -> str:
    """The kernel that `run_step` launches, for messages."""
    if isinstance(step, ClearBorder):
        return "clear_border"
    if isinstance(step, Conv):
        return "conv_taps" if conv_launch(step, table).kind == "taps" else "conv_rows"
    return "upsample"
