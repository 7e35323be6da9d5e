"""Weights as the kernels read them: rows are inputs, tap by tap; columns are outputs. Sums are in float32."""

import torch
from torch import Tensor, nn

from esrgan_torch.arithmetic import round_up
from esrgan_torch.engines.cuda.steps import Weights
from esrgan_torch.networks.rrdb import ResidualDenseBlock

# rows of 16 are the least that a tensor core multiplies, and as many columns
UNIT = 16


def pack_conv(
    convolution: nn.Conv2d, dtype: torch.dtype, device: torch.device, prelu: nn.PReLU | None = None
) -> Weights:
    """A whole convolution; outputs are padded to a power of two, at least 16."""
    weight, bias = _weight_and_bias(convolution, device)
    missing = max(UNIT, 1 << (weight.shape[0] - 1).bit_length()) - weight.shape[0]
    weight = torch.cat((weight, weight.new_zeros(missing, *weight.shape[1:])))
    bias = torch.cat((bias, bias.new_zeros(missing)))
    return Weights(_rows(weight).to(dtype), bias, _slopes(prelu, device))


def pack_first(
    convolution: nn.Conv2d, dtype: torch.dtype, device: torch.device, prelu: nn.PReLU | None = None
) -> Weights:
    """The first convolution, nearly in float32: the picture comes as `split_picture` splits it.

    With x = x_high + x_low and w = w_high + w_low, rounded parts and what is left,
    w * x is w_high * x_high + w_high * x_low + w_low * x_high up to 2^-22. Three channels fill 9 of the 16
    inputs that have to be multiplied anyway, and the picture gains 1 to 3 dB.
    """
    weight, bias = _weight_and_bias(convolution, device)
    high = weight.to(dtype).float()
    low = (weight - high).to(dtype).float()
    parts = torch.cat((high, high, low), dim=1)
    missing = -parts.shape[1] % UNIT
    padded = torch.cat((parts, parts.new_zeros(parts.shape[0], missing, 3, 3)), dim=1)
    return Weights(_rows(padded).to(dtype), bias, _slopes(prelu, device))


def first_inputs(channels: int) -> int:
    """Channels of the split picture."""
    return round_up(3 * channels, UNIT)


def split_picture(batch: Tensor, target: Tensor) -> None:
    """(B, C, H, W) float32 -> (B, H, W, first_inputs(C)) in half precision: high, low, high, zeros."""
    pixels = batch.permute(0, 2, 3, 1)
    channels = pixels.shape[3]
    target[..., :channels] = pixels
    target[..., channels : 2 * channels] = pixels - target[..., :channels].float()
    target[..., 2 * channels : 3 * channels] = target[..., :channels]
    target[..., 3 * channels :] = 0


def pack_block(block: ResidualDenseBlock, dtype: torch.dtype, device: torch.device) -> list[Weights]:
    """The five convolutions of a dense block as five others that fill the tensor cores better.

    conv1 and what conv2 takes from the stream are one convolution to 2 * growth outputs; the rest of conv2,
    from conv1's result, is added to it. conv3 and conv4 likewise. 92 % of the multiplications then go to
    2 * growth or `features` outputs at a time, and the stream is read three times instead of five.
    """
    packed: list[Weights] = []
    for early, late in ((block.conv1, block.conv2), (block.conv3, block.conv4)):
        weight, bias = _weight_and_bias(early, device)
        late_weight, late_bias = _weight_and_bias(late, device)
        known = weight.shape[1]
        both = torch.cat((weight, late_weight[:, :known]))
        packed.append(Weights(_rows(both).to(dtype), torch.cat((bias, torch.zeros_like(bias)))))
        packed.append(Weights(_rows(late_weight[:, known:]).to(dtype), late_bias))
    return [*packed, pack_conv(block.conv5, dtype, device)]


def pack_phases(convolution: nn.Conv2d, dtype: torch.dtype, device: torch.device) -> Weights:
    """A convolution after nearest x2, as four of 2x2 taps: (2 * 2 phases, 2 * 2 taps, inputs) x outputs.

    An output pixel with odd y sees input rows y // 2 (twice) and y // 2 + 1, one with even y rows y // 2 - 1
    and y // 2 (twice): taps that meet the same pixel are added, before rounding. 4/9 of the work, and the
    enlarged map is never written.
    """
    weight, bias = _weight_and_bias(convolution, device)
    near, middle, far = weight.unbind(2)  # (outputs, inputs, 3) each
    rows = (torch.stack((near, middle + far), 2), torch.stack((near + middle, far), 2))
    phases: list[Tensor] = []
    for row in rows:
        left, centre, right = row.unbind(3)  # (outputs, inputs, 2) each
        pairs = torch.stack((left, centre + right), 3), torch.stack((left + centre, right), 3)
        phases += [taps.permute(2, 3, 1, 0).reshape(-1, weight.shape[0]) for taps in pairs]
    return Weights(torch.cat(phases).to(dtype).contiguous(), bias)


def _weight_and_bias(convolution: nn.Conv2d, device: torch.device) -> tuple[Tensor, Tensor]:
    assert convolution.bias is not None
    weight = convolution.weight.detach().to(device, torch.float32)
    return weight, convolution.bias.detach().to(device, torch.float32, copy=True)


def _slopes(prelu: nn.PReLU | None, device: torch.device) -> Tensor | None:
    return None if prelu is None else prelu.weight.detach().to(device, torch.float32, copy=True)


def _rows(weight: Tensor) -> Tensor:
    """(outputs, inputs, 3, 3) -> (9 * inputs, outputs)."""
    return weight.permute(2, 3, 1, 0).reshape(-1, weight.shape[0]).contiguous()
