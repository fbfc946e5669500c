"""Energy: counters where there are some, CPU seconds where not, and shares that add up."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from generators.energy import Counter, Energy, Meter, Rates, metered, nvml, rapl
from generators.interface import Generation
from generators.recipe import Environment, ModelRecord, Recipe, SchedulerRecord
from provenance.media import Frames

RATES = Rates(watts_per_core=10.0, grams_per_kwh=360.0, source="a test")


def zone(folder, name, *, total, most=1_000_000):
    folder.mkdir(parents=True)
    (folder / "name").write_text(f"{name}\n")
    (folder / "energy_uj").write_text(f"{total}\n")
    (folder / "max_energy_range_uj").write_text(f"{most}\n")
    return folder / "energy_uj"


def generation(index: int, size: int, *, device="cpu", energy=None) -> Generation:
    recipe = Recipe(
        model=ModelRecord(ref="test:1", revision=None, pipeline="Test", weights=()),
        seed=index,
        scheduler=SchedulerRecord(name="none", config={}),
        steps=1,
        guidance_scale=1.0,
        width=8,
        height=8,
        hooks=(),
        finish=(),
        options={},
        environment=Environment(python="3", libraries={}, device=device, dtype="float32", threads=1),
        batch_size=size,
        batch_index=index,
    )
    pixels = np.zeros((1, 8, 8, 3), np.uint8)
    return Generation(frames=Frames(pixels=pixels), recipe=recipe, prompt_used="", energy=energy)


def work() -> float:
    return float(sum(np.linalg.norm(np.ones((200, 200)) @ np.ones((200, 200))) for _ in range(20)))


def test_packages_and_memory_are_counted_and_their_parts_are_not(tmp_path):
    package = zone(tmp_path / "intel-rapl:0", "package-0", total=500_000)
    zone(tmp_path / "intel-rapl:0" / "intel-rapl:0:0", "core", total=7)
    memory = zone(tmp_path / "intel-rapl:0" / "intel-rapl:0:1", "dram", total=100_000)
    zone(tmp_path / "intel-rapl:1", "psys", total=7)
    # As the kernel has it: every zone also beside the others, by a link.
    (tmp_path / "intel-rapl:0:1").symlink_to(tmp_path / "intel-rapl:0" / "intel-rapl:0:1")
    meter = Meter(rates=RATES, counters=rapl(tmp_path))
    assert len(meter.counters) == 2
    began = meter.start()
    package.write_text("900000")
    memory.write_text("150000")
    spent = meter.stop(began)
    assert spent.method == "measured"
    assert spent.joules == pytest.approx(0.45)
    assert spent.grams == pytest.approx(0.45 / 3.6e6 * 360)
    assert any("whatever else ran" in line for line in spent.assumptions)
    assert any("360 g CO2e a kWh (a test)" in line for line in spent.assumptions)


def test_a_counter_that_began_anew_is_followed(tmp_path):
    total = zone(tmp_path / "intel-rapl:0", "package-0", total=900_000)
    meter = Meter(rates=RATES, counters=rapl(tmp_path))
    began = meter.start()
    total.write_text("100000")
    assert meter.stop(began).joules == pytest.approx(0.2)


def test_counters_that_nobody_may_read_are_none(tmp_path):
    zone(tmp_path / "intel-rapl:0", "package-0", total="")
    (tmp_path / "intel-rapl:1").mkdir()
    assert rapl(tmp_path) == ()
    assert rapl(tmp_path / "absent") == ()


def test_without_counters_it_is_estimated_from_processor_time_and_says_so():
    meter = Meter(rates=RATES, counters=())
    began = meter.start()
    work()
    spent = meter.stop(began)
    assert spent.method == "estimated"
    assert spent.joules > 0
    assert any("CPU seconds × 10 W" in line for line in spent.assumptions)


def test_without_the_binding_of_nvml_no_card_is_counted(monkeypatch):
    monkeypatch.setattr("generators.energy.find_spec", lambda _name: None)
    assert nvml() == ()
    meter = Meter(rates=RATES, counters=())
    spent = meter.stop(meter.start(), graphics=True)
    assert "the graphics card is not counted" in spent.assumptions


def test_a_graphics_card_that_is_not_counted_makes_it_an_estimate(tmp_path):
    zone(tmp_path / "intel-rapl:0", "package-0", total=5)
    processor = Meter(rates=RATES, counters=rapl(tmp_path))
    assert processor.stop(processor.start(), graphics=True).method == "estimated"
    both = Meter(
        rates=RATES, counters=(*rapl(tmp_path), Counter(read=iter((1.0, 4.0)).__next__, graphics=True))
    )
    spent = both.stop(both.start(), graphics=True)
    assert (spent.method, spent.joules) == ("measured", pytest.approx(3.0))


def test_pictures_of_a_batch_share_alike_and_the_shares_add_up():
    def made():
        for start in (0, 1):
            work()
            yield from (generation(index, 3) for index in range(3))
            assert start in (0, 1)

    meter = Meter(rates=RATES, counters=())
    pictures = list(metered(made(), meter))
    shares = [one.energy.joules for one in pictures]
    assert len(shares) == 6
    assert shares[0] == shares[1] == shares[2] > 0
    assert shares[3] == shares[4] == shares[5] > 0
    assert sum(shares) == pytest.approx(meter.total.joules)
    assert meter.total.method == "estimated"


def test_what_a_generator_measures_itself_stands():
    known = Energy(joules=5.0, grams=1.0, method="measured", assumptions=("its own meter",))
    meter = Meter(rates=RATES, counters=())
    (one,) = metered(iter([generation(0, 1, energy=known)]), meter)
    assert one.energy == known
    assert meter.total == dataclasses.replace(known)


@pytest.mark.parametrize("failure", [ValueError, KeyboardInterrupt])
def test_what_was_finished_before_a_failure_still_comes_and_all_of_it_counts(failure):
    def made():
        work()
        yield generation(0, 4)
        yield generation(1, 4)
        raise failure("the rest")

    meter, seen = Meter(rates=RATES, counters=()), []
    pictures = metered(made(), meter)
    with pytest.raises(failure, match="the rest"):
        seen.extend(map(_place, pictures))
    assert seen == [0, 1]
    assert meter.total.joules > 0


def _place(made: Generation) -> int:
    return made.recipe.batch_index
