import pytest

from esrgan_bridge.fixed_size import check_shape
from esrgan_torch.errors import ConfigError
from tests.bridge.conftest import make_compact, make_rrdb


def test_a_shape_that_the_network_does_not_take():
    check_shape((6, 4), make_rrdb(scale=2, unshuffle=2))
    with pytest.raises(ConfigError, match="that 2 divides, not 8x7"):
        check_shape((8, 7), make_rrdb(scale=2, unshuffle=2))


@pytest.mark.parametrize("model", [make_compact(), make_rrdb()], ids=["compact", "rrdb"])
def test_a_shape_that_cannot_be_measured_is_refused_beforehand(model):
    with pytest.raises(ConfigError, match=r"200000x300000 take about [\d,.]+ GiB to measure"):
        check_shape((200_000, 300_000), model)
