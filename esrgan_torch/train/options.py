"""The options of a training run, as frozen dataclasses that are checked when they are built."""

from dataclasses import dataclass, field, fields
from typing import Literal

from esrgan_torch.errors import ConfigError
from esrgan_torch.networks.base import Generator
from esrgan_torch.networks.registry import architecture_of, names
from esrgan_torch.train.initial import starts_of


@dataclass(frozen=True)
class NetworkOptions:
    """The generator.

    Args:
        kind: a network of `esrgan_torch.networks.registry`, such as "RRDBNet".
        features, blocks, growth, convolutions, scale: sizes; see the network's configuration, such as
            `RRDBNetConfig`. `blocks` and `growth` belong to RRDBNet, `convolutions` to CompactNet.
        normalised: of SPAN, see `SPANConfig`; true to go on from the official files.
        branches: of SPAN: its convolutions are trained as sums of branches, as its authors do it, and run as
            plain ones; see `esrgan_torch.networks.reparameterised`.
        init: "scaled", MSRA's normal times 0.1, as ESRGAN has it (supplement, section 2); "identity", for
            CompactNet, or "enlargement", for SPAN: see `esrgan_torch.train.initial`.
        initial: weights to start from: a published model's name or a file; empty for none.
    """

    kind: str = "RRDBNet"
    features: int = 64
    blocks: int = 23
    growth: int = 32
    convolutions: int = 16
    scale: int = 4
    normalised: bool = False
    branches: bool = True
    init: str = "scaled"
    initial: str = ""

    def __post_init__(self) -> None:
        if architecture_of(self.kind) is None:
            raise ConfigError(f"network.kind is one of {names(', ')}, not {self.kind!r}")
        known = starts_of(self.kind)
        if self.init not in known:
            raise ConfigError(f"network.init of {self.kind} is {' or '.join(known)}, not {self.init!r}")

    def build(self) -> Generator:
        """The network as it is trained, with PyTorch's own initial weights."""
        architecture = architecture_of(self.kind)
        assert architecture is not None  # checked when the options were made
        form = architecture.training if self.branches and architecture.training else architecture.network
        known = {size.name for size in fields(self)}
        sizes = [size.name for size in fields(architecture.config) if size.name in known]
        return form(**{size: getattr(self, size) for size in sizes})


@dataclass(frozen=True)
class DataOptions:
    """The pictures.

    Args:
        folders: of originals, searched with their subfolders.
        small_folders: of low-resolution partners of the same names, one for each of `folders`; empty:
            the low-resolution pictures are made from the originals.
        degradation: how they are made: "bicubic" (MATLAB's) or "second-order" (Real-ESRGAN).
        patch: side of a crop of the original, in pixels; a multiple of the scale.
        batch: crops a step, over all processes.
        lessons: larger crops that the teacher answers once, before the run, and that batches are drawn from;
            0: the teacher answers every batch.
        workers: processes that prepare batches; 0: the training process does it itself.
        cache: folder of decoded pictures, read by memory mapping; made when missing.
        validation: folder with HR and LRbicx4 (or HR alone); empty for none.
    """

    folders: tuple[str, ...] = ()
    small_folders: tuple[str, ...] = ()
    degradation: Literal["bicubic", "second-order"] = "bicubic"
    patch: int = 128
    batch: int = 16
    lessons: int = 0
    workers: int = 2
    cache: str = "runs/pictures"
    validation: str = ""


@dataclass(frozen=True)
class OptimiserOptions:
    """The optimiser and its learning rate.

    Args:
        kind: of the generator: "Adam", or "SOAP", which learns more in a step of a small network; see
            `esrgan_torch.train.optimisers`. A discriminator has Adam.
        rate: learning rate of the generator, and of the discriminator where there is one.
        betas: of Adam; SOAP averages the covariances of the gradients with the second too.
        warm_up: steps over which the rate rises from 0.
        schedule: "cosine" falls from `rate` to `floor` over the run, or over each period; "steps"
            multiplies by `factor` at each milestone.
        period: steps of one cosine; 0: the whole run. Afterwards the rate starts anew.
        floor: lowest rate of a cosine.
        milestones: steps at which the rate falls.
        factor: of each fall.
        clip: largest norm of the gradient; 0: no limit.
    """

    kind: Literal["Adam", "SOAP"] = "Adam"
    rate: float = 2e-4
    betas: tuple[float, float] = (0.9, 0.99)
    warm_up: int = 0
    schedule: Literal["cosine", "steps"] = "steps"
    period: int = 0
    floor: float = 1e-7
    milestones: tuple[int, ...] = ()
    factor: float = 0.5
    clip: float = 0.0


@dataclass(frozen=True)
class LossOptions:
    """What the generator is trained for; see `esrgan_torch.train.losses` for the equations.

    Args:
        pixel, luma, perceptual, adversarial: weights; 0 leaves one out.
        layers: of VGG19, with their weights in the perceptual loss.
        vgg: "imagenet" (downloaded once), a file of torchvision's VGG19, or "random" for tests.
        gan: "relativistic" (ESRGAN) or "vanilla" (Real-ESRGAN).
        sharpen_targets: all but the adversarial loss compare with sharpened originals (Real-ESRGAN).
        teacher: a published model's name or a file, whose results take the originals' place; empty for none.
    """

    pixel: float = 1.0
    luma: float = 0.0
    perceptual: float = 0.0
    adversarial: float = 0.0
    layers: dict[str, float] = field(default_factory=lambda: {"conv5_4": 1.0})
    vgg: str = "imagenet"
    gan: Literal["relativistic", "vanilla"] = "relativistic"
    sharpen_targets: bool = False
    teacher: str = ""


@dataclass(frozen=True)
class DiscriminatorOptions:
    """The discriminator, which is used where losses.adversarial is not 0.

    Args:
        kind: "VGGDiscriminator" (crops of 128 or 256 pixels) or "UNetDiscriminator".
        features: channels of its first layer.
    """

    kind: Literal["VGGDiscriminator", "UNetDiscriminator"] = "VGGDiscriminator"
    features: int = 64


@dataclass(frozen=True)
class Options:
    """A whole recipe.

    Args:
        steps: of the whole run.
        seed: of the weights, the crops and the degradations.
        ema: decay of the moving average of the weights; 0: none.
        precision: "float32", or "bfloat16" by autocast.
        compiled: the generator's step by `torch.compile`: half a minute at the start, then about a third more
            steps a second for CompactNet on a CPU. On a CPU it needs a C++ compiler.
        log_every, validate_every, checkpoint_every: in steps.
        keep: how many checkpoints are kept.
        tensorboard: also write event files for TensorBoard.
    """

    steps: int = 1000
    seed: int = 0
    ema: float = 0.999
    precision: Literal["float32", "bfloat16"] = "float32"
    compiled: bool = False
    log_every: int = 100
    validate_every: int = 1000
    checkpoint_every: int = 1000
    keep: int = 3
    tensorboard: bool = False
    network: NetworkOptions = field(default_factory=NetworkOptions)
    data: DataOptions = field(default_factory=DataOptions)
    optimiser: OptimiserOptions = field(default_factory=OptimiserOptions)
    losses: LossOptions = field(default_factory=LossOptions)
    discriminator: DiscriminatorOptions = field(default_factory=DiscriminatorOptions)

    def __post_init__(self) -> None:
        for name in ("steps", "log_every", "validate_every", "checkpoint_every", "keep"):
            if getattr(self, name) < 1:
                raise ConfigError(f"{name} is at least 1, not {getattr(self, name)}")
        if self.data.patch < 1 or self.data.patch % self.network.scale:
            raise ConfigError(
                f"data.patch is a multiple of the scale {self.network.scale}, not {self.data.patch}"
            )
        losses = self.losses
        weights = (losses.pixel, losses.luma, losses.perceptual, losses.adversarial)
        if min(weights) < 0 or not any(weights):
            raise ConfigError(f"losses are weighted by 0 or more, and one by more than 0; given {weights}")
        if not 0 <= self.ema < 1:
            raise ConfigError(f"ema is at least 0 and below 1, not {self.ema}")
        if self.data.lessons < 0 or (self.data.lessons and not self.losses.teacher):
            raise ConfigError(
                f"data.lessons is 0, or how many crops losses.teacher answers; given {self.data.lessons} and "
                f"the teacher {self.losses.teacher!r}"
            )
        if self.data.small_folders and len(self.data.small_folders) != len(self.data.folders):
            raise ConfigError("data.small_folders names one folder for each of data.folders")
