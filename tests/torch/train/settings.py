"""Settings of recipes that several tests train by."""

ADVERSARIAL = (
    "losses.perceptual=1",
    "losses.layers={conv1_2=0.1, conv2_2=1}",
    "losses.vgg=random",
    "losses.adversarial=0.1",
    "losses.sharpen_targets=true",
    "discriminator.kind=UNetDiscriminator",
    "discriminator.features=4",
)


JUDGED = ADVERSARIAL[3:]  # without VGG19, which takes seconds to build

SPAN_SETTINGS = ("network.kind=SPAN", "network.init=enlargement", "network.features=6")
