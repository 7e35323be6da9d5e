import pytest

from esrgan_benchmarks.studies.scale import Cost, row_of


def test_the_start_and_the_time_of_a_picture_from_two_lengths() -> None:
    row = row_of("one machine", {("one machine", 8): [3.0, 2.4], ("one machine", 72): [8.8, 9.0]}, 8, 72)
    assert row["a_picture"] == pytest.approx(0.1)
    assert row["start"] == pytest.approx(1.6)


def test_cost_of_many_pictures() -> None:
    cost = Cost(start=36.0, picture=0.5, megapixel=1.5)
    assert cost.hours(1800, 1.0) == pytest.approx(1.01)
    assert cost.hours(1800, 1.0, machines=10) == pytest.approx(0.11)
    assert cost.hours(1800, 3.0, machines=10) == pytest.approx(0.26)
    assert cost.money(1800, 1.0, machines=10, price=2.0) == pytest.approx(2.2)
