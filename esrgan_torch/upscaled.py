"""`Upscaled`: a larger picture and how it came about."""

from dataclasses import dataclass, replace

from esrgan_torch.images.picture import Picture
from esrgan_torch.tiling.plan import Plan


@dataclass(frozen=True)
class Upscaled:
    """A result and how it came about.

    Args:
        picture: the larger picture, with the metadata of the given one.
        plan: how the picture was cut, with the estimated memory and the reason. It is not exact if a window
            of an exact plan had to be divided.
        device: readable name of the device.
        dtype: precision, "float32", "float16" or "bfloat16".
        engine: the engine's name, as `Upscaler` accepts it: "native", "openvino", "ncnn", "triton" or
            "eager". `Upscaler.describe` gives the reason.
        redone: tiles that were not finite in half precision and were computed again in float32.
        divided: tiles that did not fit in memory and were divided.
        seconds: wall time.
        tta: whether it is the mean of the eight turned and mirrored runs.
    """

    picture: Picture
    plan: Plan
    device: str
    dtype: str
    engine: str
    redone: int
    divided: int
    seconds: float
    tta: bool = False

    @property
    def exact(self) -> bool:
        """Whether the result equals the untiled one to float rounding."""
        return self.plan.exact

    def joined(self, other: "Upscaled") -> "Upscaled":
        """This result with how another one came about added: of several frames, one account for all."""
        return replace(
            self,
            plan=other.plan if self.exact else self.plan,
            redone=self.redone + other.redone,
            divided=self.divided + other.divided,
            seconds=self.seconds + other.seconds,
        )
