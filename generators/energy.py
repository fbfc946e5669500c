"""Energy of generation: measured where the machine has counters, else estimated, and it says which.

Counters are RAPL (processor packages and memory, Linux powercap) and NVML (graphics cards). Without them it
is the process's CPU seconds times a declared power of a busy core; memory, fans and power supply then count
for nothing, and the assumptions say so. Grams are joules times a declared carbon intensity.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from generators.interface import Generation

_POWERCAP = Path("/sys/class/powercap")
_JOULES_PER_KWH = 3.6e6


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """What is declared where nothing can be measured.

    Attributes:
        watts_per_core: of a busy processor core; an assumption to be replaced by whoever knows better. 7 W:
            two Xeon Platinum 8380 take 530 W under full load (Hardwareluxx, test of 2021), over 80 cores.
        grams_per_kwh: carbon intensity of the electricity, in CO2 equivalents; an assumption likewise. 480:
            14,153 million tonnes over 29,471 TWh in 2023 (Ember, Global Electricity Review 2024).
        source: where that figure is from.
    """

    watts_per_core: float = 7.0
    grams_per_kwh: float = 480.0
    source: str = "assumed: world average of 2023, Ember Global Electricity Review 2024"


@dataclass(frozen=True, slots=True, kw_only=True)
class Energy:
    """What something took.

    Attributes:
        joules: electrical energy.
        grams: of CO2 equivalents.
        method: ``estimated`` as soon as a part of it is.
        assumptions: what the figures rest on, in sentences.
    """

    joules: float = 0.0
    grams: float = 0.0
    method: Literal["measured", "estimated"] = "measured"
    assumptions: tuple[str, ...] = ()

    def __add__(self, other: Energy) -> Energy:
        both = "measured" if self.method == other.method == "measured" else "estimated"
        return Energy(
            joules=self.joules + other.joules,
            grams=self.grams + other.grams,
            method=both,  # type: ignore[arg-type]  # one of the two words
            assumptions=tuple(dict.fromkeys((*self.assumptions, *other.assumptions))),
        )

    def shared(self, count: int) -> Energy:
        """An equal share for each of ``count``."""
        return replace(self, joules=self.joules / count, grams=self.grams / count)


@dataclass(frozen=True, slots=True, kw_only=True)
class Counter:
    """A running total of joules; ``wraps`` is where it starts again from 0, None: nowhere.

    Attributes:
        read: the total now.
        graphics: whether it counts a graphics card rather than the processor.
    """

    read: Callable[[], float]
    wraps: float | None = None
    graphics: bool = False

    def since(self, before: float) -> float:
        """Joules after the reading ``before``."""
        spent = self.read() - before
        return spent + self.wraps if spent < 0 and self.wraps is not None else max(spent, 0.0)


def rapl(powercap: Path = _POWERCAP) -> tuple[Counter, ...]:
    """Processor packages and their memory; none where the kernel lets only root read them."""
    zones = [*powercap.glob("intel-rapl:*"), *powercap.glob("intel-rapl:*/intel-rapl:*")]
    found = {zone.resolve(): zone for zone in zones}
    return tuple(counter for zone in sorted(found.values()) for counter in _zone(zone))


def nvml() -> tuple[Counter, ...]:
    """Every graphics card, where NVML and its Python binding are there."""
    if find_spec("pynvml") is None:
        return ()
    import pynvml  # noqa: PLC0415 - an optional library

    try:
        pynvml.nvmlInit()
        cards = [pynvml.nvmlDeviceGetHandleByIndex(one) for one in range(pynvml.nvmlDeviceGetCount())]
        for card in cards:
            pynvml.nvmlDeviceGetTotalEnergyConsumption(card)  # older cards have no such counter
    except pynvml.NVMLError:
        return ()
    read = pynvml.nvmlDeviceGetTotalEnergyConsumption  # in millijoules
    return tuple(Counter(read=partial(_kilo, partial(read, card)), graphics=True) for card in cards)


def _kilo(read: Callable[[], float]) -> float:
    return read() / 1e3


def _zone(zone: Path) -> Iterator[Counter]:
    """Packages and memory only: other zones (core, uncore, psys) are parts or sums of these."""
    try:
        name = (zone / "name").read_text().strip()
        wraps = int((zone / "max_energy_range_uj").read_text()) / 1e6
        total = zone / "energy_uj"
        int(total.read_text())
    except (OSError, ValueError):
        return
    if name.startswith("package") or name == "dram":
        yield Counter(read=lambda: int(total.read_text()) / 1e6, wraps=wraps)


@dataclass(slots=True, kw_only=True)
class Meter:
    """Adds up what a run takes.

    Attributes:
        rates: declared figures.
        counters: of this machine; found once, since a reading is then some microseconds.
        total: everything metered so far, pictures that were never released included.
    """

    rates: Rates = field(default_factory=Rates)
    counters: tuple[Counter, ...] = field(default_factory=lambda: (*rapl(), *nvml()))
    total: Energy = field(default_factory=Energy)

    def start(self) -> tuple[float, ...]:
        """A reading; ``stop`` takes it."""
        return (time.process_time(), *(counter.read() for counter in self.counters))

    def stop(self, began: tuple[float, ...], *, graphics: bool = False) -> Energy:
        """What was spent since; ``graphics``: whether a graphics card worked."""
        seconds, rates = time.process_time() - began[0], self.rates
        pairs = list(zip(self.counters, began[1:], strict=True))
        spent = [(one.graphics, one.since(before)) for one, before in pairs if graphics or not one.graphics]
        joules, said, measured = sum(amount for _, amount in spent), [], True
        if any(not card for card, _ in spent):
            said.append("RAPL counts the whole processor, with whatever else ran on it")
        else:
            joules, measured = joules + seconds * rates.watts_per_core, False
            said.append(
                f"CPU seconds × {rates.watts_per_core:g} W a busy core; memory and losses not counted"
            )
        if graphics and not any(card for card, _ in spent):
            measured = False
            said.append("the graphics card is not counted")
        return Energy(
            joules=joules,
            grams=joules / _JOULES_PER_KWH * rates.grams_per_kwh,
            method="measured" if measured else "estimated",
            assumptions=(*said, f"{rates.grams_per_kwh:g} g CO2e a kWh ({rates.source})"),
        )


def metered(made: Iterator[Generation], meter: Meter) -> Iterator[Generation]:
    """``made``, each picture with its share of the energy of its batch, as soon as its batch is whole.

    What a generator knows better it says itself. If it fails or is interrupted within a batch, what was
    finished still comes.
    """
    failure: BaseException | None = None
    while failure is None:
        began = meter.start()
        batch: list[Generation] = []
        try:
            for generation in made:
                batch.append(generation)
                if len(batch) >= generation.recipe.batch_size:
                    break
        except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - raised again below
            failure = error
        spent = meter.stop(began, graphics=any(one.recipe.environment.device != "cpu" for one in batch))
        if not batch and failure is None:
            return
        known = [one.energy for one in batch if one.energy is not None]
        meter.total += sum(known, start=Energy()) if known and len(known) == len(batch) else spent
        for one in batch:
            yield one if one.energy is not None else replace(one, energy=spent.shared(len(batch)))
    raise failure
