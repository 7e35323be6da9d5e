"""The options of a training run, as frozen dataclasses that are checked when they are built."""

from dataclasses import dataclass, field, fields
from typing import Literal

from esrgan_torch.datasets.partners import check_template
from esrgan_torch.errors import ConfigError
from esrgan_torch.networks.base import Generator
from esrgan_torch.networks.registry import Architecture, architecture_of, names
from esrgan_torch.train.initial import starts_of
from esrgan_torch.train.sharpen import RADIUS
from esrgan_torch.train.structure import PERIODS, WINDOW
from esrgan_torch.train.values import check_range, set_paths
from esrgan_torch.train.vgg import IMAGENET, RANDOM, layer_indices

MOST_STEPS = 10**12
FLOOR = 1e-7  # BasicSR's eta_min
DECAY = 0.01  # PyTorch's


@dataclass(frozen=True)
class NetworkOptions:
    """The generator.

    Args:
        kind: a network of `esrgan_torch.networks.registry`, such as "RRDBNet".
        features, blocks, growth, convolutions, scale, unshuffle: sizes; see the network's configuration,
        such as
            `RRDBNetConfig`. `blocks`, `growth` and `unshuffle` belong to RRDBNet, `convolutions` to
            CompactNet. Those that a recipe leaves out are those of `initial`, see
            `esrgan_torch.train.recipe`.
        normalised: of SPAN, see `SPANConfig`; true to go on from the official files.
        branches: of SPAN: its convolutions are trained as sums of branches, as its authors do it, and run as
            plain ones; see `esrgan_torch.networks.reparameterised`.
        init: "scaled", MSRA's normal times 0.1, as ESRGAN has it (supplement, section 2); "identity", for
            CompactNet, or "enlargement", for SPAN: see `esrgan_torch.train.initial`.
        initial: weights to start from: a published model's name or a file; empty for none.
        strict: `initial` is the very network of these sizes; false: what fits of it is taken, and what was
        left
            out is told.
    """

    kind: str = "RRDBNet"
    features: int = 64
    blocks: int = 23
    growth: int = 32
    convolutions: int = 16
    scale: int = 4
    unshuffle: int = 1
    normalised: bool = False
    branches: bool = True
    init: str = "scaled"
    initial: str = ""
    strict: bool = True

    def __post_init__(self) -> None:
        set_paths(self, "initial")
        check_range(self, "network.", features=(1, 4096), blocks=(1, 1000), growth=(1, 4096))
        check_range(self, "network.", convolutions=(1, 1000), scale=(1, 16), unshuffle=(1, 4))
        if architecture_of(self.kind) is None:
            raise ConfigError(f"network.kind is one of {names(', ')}, not {self.kind!r}")
        known = starts_of(self.kind)
        if self.init not in known:
            raise ConfigError(f"network.init of {self.kind} is {' or '.join(known)}, not {self.init!r}")
        self._architecture().config(**self.sizes())  # raises where no network has these sizes

    def sizes(self) -> dict[str, int | bool]:
        """The sizes that belong to the kind."""
        known = {size.name for size in fields(self)}
        named = [size.name for size in fields(self._architecture().config) if size.name in known]
        return {size: getattr(self, size) for size in named}

    def build(self) -> Generator:
        """The network as it is trained, with PyTorch's own initial weights."""
        architecture = self._architecture()
        form = architecture.training if self.branches and architecture.training else architecture.network
        return form(**self.sizes())

    def _architecture(self) -> Architecture:
        architecture = architecture_of(self.kind)
        assert architecture is not None  # checked when the options were made
        return architecture


@dataclass(frozen=True)
class DataOptions:
    """The pictures.

    Args:
        folders: of originals, searched with their subfolders.
        small_folders: of low-resolution partners, one for each of `folders`, or its folder above `X4`; empty:
            the low-resolution pictures are made from the originals.
        small_names: the partners' names, such as "{}x4" for 0801x4.png beside 0801.png; empty: those that
        data
            sets have, see `esrgan_torch.datasets.partners`.
        degradation: how they are made: "bicubic" (MATLAB's) or "second-order" (Real-ESRGAN).
        noisy: with "second-order", the chance that a small crop has only fresh noise, and no JPEG after it;
            Real-ESRGAN: 0.
        patch: side of a crop of the original, in pixels; a multiple of the scale.
        batch: crops a step, over all processes.
        lessons: larger crops that the teacher answers once, before the run, and that batches are drawn from;
            0: the teacher answers every batch.
        workers: processes that prepare batches; 0: the training process does it itself.
        cache: folder of decoded pictures, read by memory mapping; made when missing. Empty: `pictures` in the
            user's cache folder, or in $ESRGAN_CACHE.
        cache_limit: GB that the cache may have; the oldest of other runs go first.
        validation: folders with HR and LRbicx4, or others that `esrgan evaluate` takes; empty for none.
    """

    folders: tuple[str, ...] = ()
    small_folders: tuple[str, ...] = ()
    small_names: str = ""
    degradation: Literal["bicubic", "second-order"] = "bicubic"
    noisy: float = 0.0
    patch: int = 128
    batch: int = 16
    lessons: int = 0
    workers: int = 2
    cache: str = ""
    cache_limit: float = 100.0
    validation: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        set_paths(self, "folders", "small_folders", "cache", "validation")
        check_range(self, "data.", patch=(1, 65_536), batch=(1, 1_000_000), lessons=(0, 10_000_000))
        check_range(self, "data.", workers=(0, 4096))
        if self.cache_limit <= 0:
            raise ConfigError(f"data.cache_limit is in GB and above 0, not {self.cache_limit:g}")
        check_template(self.small_names)
        if self.small_folders and len(self.small_folders) != len(self.folders):
            raise ConfigError(
                "data.small_folders names one folder for each of data.folders; given "
                f"{len(self.small_folders)} "
                f"for {len(self.folders)}"
            )
        if self.small_folders and self.degradation == "second-order":
            raise ConfigError(
                "data.small_folders are low-resolution pictures, and data.degradation = 'second-order' makes "
                "others in their place; leave out one of them"
            )
        check_range(self, "data.", noisy=(0, 1))
        if self.noisy and self.degradation != "second-order":
            raise ConfigError("data.noisy is a share of the crops of data.degradation = 'second-order'")
        if self.small_names and not self.small_folders:
            raise ConfigError("data.small_names names the pictures of data.small_folders, and there are none")


@dataclass(frozen=True)
class OptimiserOptions:
    """The optimiser and its learning rate.

    Args:
        kind: of the generator: "Adam", "AdamW", or "SOAP", which learns more in a step of a small network;
        see
            `esrgan_torch.train.optimisers`. A discriminator has Adam beside SOAP, else the same.
        rate: learning rate of the generator, and of the discriminator where there is one.
        betas: of Adam; SOAP averages the covariances of the gradients with the second too.
        weight_decay: of AdamW; Adam and SOAP have none.
        warm_up: steps over which the rate rises from 0.
        schedule: "cosine" falls from `rate` to `floor` over the run, or over each period; "steps"
            multiplies by `factor` at each milestone.
        period: steps of one cosine; 0: the whole run. Afterwards the rate starts anew.
        floor: lowest rate of a cosine; the rate itself where that is less.
        milestones: steps at which the rate falls.
        factor: of each fall.
        clip: largest norm of the gradient; 0: no limit.
    """

    kind: Literal["Adam", "AdamW", "SOAP"] = "Adam"
    rate: float = 2e-4
    betas: tuple[float, float] = (0.9, 0.99)
    weight_decay: float = DECAY
    warm_up: int = 0
    schedule: Literal["cosine", "steps"] = "steps"
    period: int = 0
    floor: float = FLOOR
    milestones: tuple[int, ...] = ()
    factor: float = 0.5
    clip: float = 0.0

    def __post_init__(self) -> None:
        check_range(self, "optimiser.", rate=(0, 100), weight_decay=(0, 1), factor=(0, 1), floor=(0, 100))
        check_range(self, "optimiser.", warm_up=(0, MOST_STEPS), period=(0, MOST_STEPS), clip=(0, 1e9))
        if not self.rate:
            raise ConfigError("optimiser.rate is above 0, not 0: nothing would be learnt")
        if self.kind != "AdamW" and self.weight_decay not in (0, DECAY):
            raise ConfigError(
                f"optimiser.weight_decay belongs to optimiser.kind = 'AdamW', and it is {self.kind!r}; leave "
                "out one"
            )
        if any(not 0 <= beta < 1 for beta in self.betas):
            raise ConfigError(f"optimiser.betas are at least 0 and below 1, not {list(self.betas)}")
        if self.schedule == "cosine" and self.floor > max(self.rate, FLOOR):
            raise ConfigError(
                f"optimiser.floor = {self.floor:g} is where the rate falls to, and optimiser.rate = "
                f"{self.rate:g} is below it"
            )
        if list(self.milestones) != sorted({*self.milestones}) or min(self.milestones, default=1) < 1:
            raise ConfigError(
                f"optimiser.milestones are steps from 1 on, in their order, not {list(self.milestones)}"
            )
        if self.milestones and self.schedule == "cosine":
            raise ConfigError(
                "optimiser.milestones belong to optimiser.schedule = 'steps', and it is 'cosine'; leave out "
                "one"
            )
        if self.period and self.schedule == "steps":
            raise ConfigError(
                "optimiser.period belongs to optimiser.schedule = 'cosine', and it is 'steps'; leave out one"
            )


@dataclass(frozen=True)
class LossOptions:
    """What the generator is trained for; see `esrgan_torch.train.losses` for the equations.

    Args:
        pixel, luma, perceptual, adversarial: weights; 0 leaves one out.
        matching: weight of the distance in the discriminator's own features, beside `adversarial`: a
            perceptual loss without VGG19.
        grid: weight of what differs between the places in a period of the scale, which keeps a discriminator
            from leaving a grid or dots.
        sharpness: weight of the difference in how sharp windows of 8 pixels are.
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
    matching: float = 0.0
    grid: float = 0.0
    sharpness: float = 0.0
    layers: dict[str, float] = field(default_factory=lambda: {"conv5_4": 1.0})
    vgg: str = "imagenet"
    gan: Literal["relativistic", "vanilla"] = "relativistic"
    sharpen_targets: bool = False
    teacher: str = ""

    def __post_init__(self) -> None:
        if self.vgg not in (IMAGENET, RANDOM):
            set_paths(self, "vgg")
        set_paths(self, "teacher")
        weights = (self.pixel, self.luma, self.perceptual, self.adversarial, self.matching)
        weights = (*weights, self.grid, self.sharpness)
        if min(weights) < 0 or not any(weights):
            raise ConfigError(
                "losses.pixel, luma, perceptual, adversarial, matching, grid and sharpness are weights of 0 "
                f"or more, and one is more than 0; given {', '.join(f'{weight:g}' for weight in weights)}"
            )
        if self.matching and not self.adversarial:
            raise ConfigError(
                "losses.matching compares features of the discriminator, which learns by losses.adversarial: "
                "set that above 0 too, or losses.matching to 0"
            )
        unknown = [layer for layer in self.layers if layer not in layer_indices()]
        if unknown or (self.perceptual and not self.layers):
            raise ConfigError(
                f"losses.layers are of VGG19: {', '.join(layer_indices())}; given "
                f"{', '.join(self.layers) or 'none'}"
            )
        shares = self.layers.values()
        if min(shares, default=0) < 0 or (self.perceptual and not any(shares)):
            given = ", ".join(f"{layer} = {share:g}" for layer, share in self.layers.items())
            raise ConfigError(
                f"losses.layers have weights of 0 or more, and one is more than 0; given {given}"
            )


@dataclass(frozen=True)
class DiscriminatorOptions:
    """The discriminator, which is used where losses.adversarial is not 0.

    Args:
        kind: "VGGDiscriminator" (crops of 128 or 256 pixels) or "UNetDiscriminator".
        features: channels of its first layer.
        crop: side of the part of each crop that it judges, at a place drawn anew each time; 0: all of it.
            Crops begin at a pixel of the small picture. Where it judges all of them its strides always fall
            on the same places in a period of the scale, and what it asks for has that period too.
    """

    kind: Literal["VGGDiscriminator", "UNetDiscriminator"] = "VGGDiscriminator"
    features: int = 64
    crop: int = 0

    def __post_init__(self) -> None:
        check_range(self, "discriminator.", features=(1, 4096), crop=(0, 65_536))


@dataclass(frozen=True)
class Options:
    """A whole recipe.

    Args:
        steps: of the whole run.
        seed: of the weights, the crops and the degradations.
        ema: decay of the moving average of the weights; 0: none. It is less in the first steps, see
            `esrgan_torch.train.ema`.
        precision: "float32"; or "bfloat16" or "float16" by autocast, the latter with scaled losses.
        compiled: the generator's step by `torch.compile`: half a minute at the start, then about a third more
            steps a second for CompactNet on a CPU. On a CPU it needs a C++ compiler.
        log_every, validate_every, checkpoint_every: in steps.
        keep: how many checkpoints are kept.
        tensorboard: also write event files for TensorBoard.
        tracker: "wandb" for Weights & Biases, through Accelerate; empty for none.
    """

    steps: int = 1000
    seed: int = 0
    ema: float = 0.999
    precision: Literal["float32", "bfloat16", "float16"] = "float32"
    compiled: bool = False
    log_every: int = 100
    validate_every: int = 1000
    checkpoint_every: int = 1000
    keep: int = 3
    tensorboard: bool = False
    tracker: Literal["", "wandb"] = ""
    network: NetworkOptions = field(default_factory=NetworkOptions)
    data: DataOptions = field(default_factory=DataOptions)
    optimiser: OptimiserOptions = field(default_factory=OptimiserOptions)
    losses: LossOptions = field(default_factory=LossOptions)
    discriminator: DiscriminatorOptions = field(default_factory=DiscriminatorOptions)

    def __post_init__(self) -> None:
        every = (1, MOST_STEPS)
        check_range(self, "", steps=every, log_every=every, validate_every=every, checkpoint_every=every)
        check_range(self, "", keep=(1, 1_000_000), seed=(0, 2**63 - 1))
        if not 0 <= self.ema < 1:
            raise ConfigError(f"ema is at least 0 and below 1, not {self.ema:g}")
        data, losses = self.data, self.losses
        if data.patch % self.network.scale:
            raise ConfigError(f"data.patch is a multiple of the scale {self.network.scale}, not {data.patch}")
        if bool(data.lessons) and not losses.teacher:
            raise ConfigError(
                "data.lessons is 0, or the number of crops that losses.teacher computes; given "
                f"{data.lessons} and "
                f"the teacher {losses.teacher!r}"
            )
        judge = self.discriminator.kind if losses.adversarial else ""
        if judge and self.discriminator.crop > data.patch:
            raise ConfigError(
                f"discriminator.crop = {self.discriminator.crop} is a part of a crop, and data.patch is "
                f"{data.patch}; take a larger patch or a smaller crop"
            )
        if judge == "VGGDiscriminator" and self.judged not in (128, 256):
            given = "discriminator.crop" if self.discriminator.crop else "data.patch"
            raise ConfigError(
                f"discriminator.kind = 'VGGDiscriminator' judges crops of 128 or 256 pixels, and {given} "
                f"is {self.judged}; take one of these, or discriminator.kind=UNetDiscriminator"
            )
        if judge == "UNetDiscriminator" and self.judged < 8:
            raise ConfigError(f"UNetDiscriminator judges crops of 8 pixels and more, not {self.judged}")
        if losses.grid and self.network.scale == 1:
            raise ConfigError("losses.grid has the period of network.scale, which is 1: set it to 0")
        if losses.grid and data.patch < PERIODS * self.network.scale:
            raise ConfigError(
                f"losses.grid looks along {PERIODS} periods of the scale, {PERIODS * self.network.scale} "
                f"pixels, and data.patch is {data.patch}; take a larger patch"
            )
        if losses.sharpen_targets and data.patch <= RADIUS:
            raise ConfigError(
                f"losses.sharpen_targets needs crops of more than {RADIUS} pixels, and data.patch is "
                f"{data.patch}"
            )
        if losses.sharpness and data.patch < 2 * WINDOW + 4:
            raise ConfigError(
                f"losses.sharpness needs crops of at least {2 * WINDOW + 4} pixels, and data.patch is "
                f"{data.patch}"
            )
        deepest = max((int(layer[4]) for layer in losses.layers), default=1)
        if losses.perceptual and data.patch < 2 ** (deepest - 1):
            raise ConfigError(
                f"VGG19 halves crops {deepest - 1} times before losses.layers = {', '.join(losses.layers)}, "
                f"and data.patch is {data.patch}"
            )

    @property
    def judged(self) -> int:
        """Side of what the discriminator judges."""
        return self.discriminator.crop or self.data.patch
