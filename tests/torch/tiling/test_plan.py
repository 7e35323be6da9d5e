"""Plans: what is chosen for which memory, and what is refused."""

import pytest

from esrgan_torch.errors import OutOfMemoryError
from esrgan_torch.tiling.modes import Tiling
from esrgan_torch.tiling.plan import make_plan
from tests.torch.networks import small_compact, small_rrdb


class Costs:
    """100 bytes an input pixel for the trunk, 1000 a feature pixel for the tail."""

    def trunk_bytes(self, height: int, width: int) -> int:
        return 100 * height * width

    def tail_bytes(self, height: int, width: int) -> int:
        return 1000 * height * width


DEEP = small_rrdb(blocks=20)
AUTO, EXACT, OFF = Tiling("auto"), Tiling("exact"), Tiling("off")
MIB = 2**20


def test_a_picture_that_fits_is_exact_with_its_tail_in_tiles() -> None:
    plan = make_plan(DEEP, Costs(), 1000, 1000, AUTO, 1000 * MIB)
    assert plan.exact
    assert len(plan.windows) == 1
    assert plan.tail_size == 128


def test_less_memory_makes_smaller_tail_tiles_first() -> None:
    plan = make_plan(DEEP, Costs(), 1000, 1000, AUTO, 130 * MIB)
    assert plan.exact
    assert len(plan.windows) == 1
    assert plan.tail_size in (16, 32, 64)
    assert plan.memory <= 0.8 * 130 * MIB


def test_a_trunk_that_does_not_fit_is_cut_with_the_measured_overlap() -> None:
    plan = make_plan(DEEP, Costs(), 4000, 4000, AUTO, 400 * MIB)
    assert not plan.exact
    assert len(plan.windows) > 1
    assert plan.overlap == DEEP.overlap == 96
    assert plan.fade == 12
    assert plan.memory <= 0.8 * 400 * MIB
    assert "not exact" in str(plan)


def test_what_the_result_takes_is_not_there_for_the_work() -> None:
    free = 300 * MIB
    assert make_plan(DEEP, Costs(), 1000, 1000, AUTO, free).exact
    assert not make_plan(DEEP, Costs(), 1000, 1000, AUTO, free, held=150 * MIB).exact


def test_exact_is_kept_at_any_price_in_time_or_refused_with_numbers() -> None:
    plan = make_plan(DEEP, Costs(), 4000, 4000, EXACT, 400 * MIB)
    assert plan.exact
    assert plan.overlap == DEEP.receptive_field
    with pytest.raises(OutOfMemoryError, match=r"4000x4000 pixels needs 1,9\d\d MiB, 100 MiB are free"):
        make_plan(DEEP, Costs(), 4000, 4000, EXACT, 100 * MIB)


def test_a_network_that_sees_little_is_cut_exactly() -> None:
    plan = make_plan(small_compact(), Costs(), 4000, 4000, AUTO, 400 * MIB)
    assert plan.exact
    assert len(plan.windows) > 1
    assert plan.overlap == small_compact().receptive_field
    assert plan.fade == 0


def test_off_cuts_nothing_whatever_it_takes() -> None:
    plan = make_plan(DEEP, Costs(), 4000, 4000, OFF, 1)
    assert plan.tail_size is None
    assert len(plan.windows) == 1


def test_asked_tiles_are_as_asked() -> None:
    plan = make_plan(DEEP, Costs(), 100, 100, Tiling("overlap", 32, 10), 1000 * MIB)
    assert len(plan.windows) == 16
    assert plan.overlap == 10
    assert plan.fade == 1


def test_an_overlap_as_large_as_the_network_sees_is_exact() -> None:
    small = small_rrdb(blocks=1)
    plan = make_plan(small, Costs(), 100, 100, Tiling("overlap", 32, small.receptive_field), 1000 * MIB)
    assert plan.exact
    assert plan.fade == 0


def test_nothing_fits_is_said() -> None:
    with pytest.raises(OutOfMemoryError, match="32 pixels"):
        make_plan(DEEP, Costs(), 4000, 4000, AUTO, 1 * MIB)


@pytest.mark.parametrize("tiling", [AUTO, EXACT, OFF, Tiling("overlap", 64)])
def test_a_result_that_does_not_fit_is_refused_at_once_with_its_size(tiling: Tiling) -> None:
    said = r"result of 10000x10000 pixels needs 7\d\d MiB itself, and even tiles .* where 500 MiB are free"
    with pytest.raises(OutOfMemoryError, match=said):
        make_plan(DEEP, Costs(), 2500, 2500, tiling, 500 * MIB, held=6 * 10**8)


def test_sizes_that_the_network_folds_are_rounded_up() -> None:
    plan = make_plan(small_rrdb(unshuffle=4, scale=1), Costs(), 5, 3, AUTO, 100 * MIB)
    assert (plan.windows[0].core.height, plan.windows[0].core.width) == (8, 4)


class RowCosts:
    """500 values of bytes a column."""

    def bytes(self, height: int, width: int, rows: int) -> int:
        del height, rows
        return 40_000 * width


def test_a_trunk_that_does_not_fit_goes_by_rows_where_there_is_an_engine_for_it() -> None:
    plan = make_plan(DEEP, Costs(), 4000, 4000, AUTO, 400 * MIB, rows=RowCosts)
    assert plan.by_rows
    assert plan.exact
    assert len(plan.windows) == 1
    assert plan.memory == 160_000_000
    assert str(plan).startswith("whole picture by rows, exact, about 153 MiB")


def test_what_is_too_wide_goes_in_few_strips_that_reach_as_far_as_the_network_sees() -> None:
    plan = make_plan(DEEP, Costs(), 4000, 20_001, AUTO, 700 * MIB, rows=RowCosts)
    assert plan.by_rows
    assert plan.exact
    assert plan.memory <= 0.8 * 700 * MIB
    assert len(plan.windows) == 2
    assert sum(strip.core.width for strip in plan.windows) == 20_001
    assert all(strip.core.height == strip.window.height == 4000 for strip in plan.windows)
    computed = sum(strip.window.width for strip in plan.windows)
    assert computed == 20_001 + 2 * DEEP.receptive_field
    assert computed <= 1.1 * 20_001
    assert "2 strips of columns by rows" in str(plan)


def test_strips_end_where_twice_the_work_would_be_done_unasked() -> None:
    free = 60 * MIB  # for 1,258 columns, of which 606 are a strip's neighbours'
    auto = make_plan(DEEP, Costs(), 4000, 20_000, AUTO, free, rows=RowCosts)
    asked = make_plan(DEEP, Costs(), 4000, 20_000, EXACT, free, rows=RowCosts)
    assert auto.by_rows
    assert asked.by_rows
    less = 30 * MIB  # 629 columns
    assert not make_plan(DEEP, Costs(), 4000, 20_000, AUTO, less, rows=RowCosts).by_rows


def test_no_engine_by_rows_and_a_picture_that_fits_ask_for_none() -> None:
    assert not make_plan(DEEP, Costs(), 4000, 4000, AUTO, 400 * MIB, rows=lambda: None).by_rows

    def unwanted() -> RowCosts:
        raise AssertionError("it fits")

    assert not make_plan(DEEP, Costs(), 1000, 1000, AUTO, 1000 * MIB, rows=unwanted).by_rows
