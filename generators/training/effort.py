"""What a run takes: wall-clock seconds and energy, over all its sessions.

Each session adds to what the checkpoint says of those before. What an interrupted session did after its last
checkpoint is lost with it, and not counted.
"""

from __future__ import annotations

import time
from dataclasses import asdict, replace
from typing import TYPE_CHECKING

from generators.energy import Energy, Meter

if TYPE_CHECKING:
    from collections.abc import Mapping

    from provenance.canonical import Json

_UNMETERED = "an earlier session was not metered"


class Effort:
    """Runs from its making on.

    Attributes:
        graphics: whether a graphics card works; its counter is left alone otherwise.
    """

    def __init__(self, meter: Meter | None = None) -> None:
        self.graphics = False
        self._meter = meter or Meter()
        self._began, self._since = self._meter.start(), time.monotonic()
        self._spent, self._earlier = Energy(), 0.0

    @property
    def seconds(self) -> float:
        """Wall clock, over all sessions."""
        return self._earlier + time.monotonic() - self._since

    def resume(self, seconds: float, energy: Mapping[str, Json] | None) -> None:
        """Add what earlier sessions took; None: nobody metered them, and the figure says so."""
        self._earlier += seconds
        if energy is None:
            self._spent += Energy(method="estimated", assumptions=(_UNMETERED,))
        else:
            self._spent += from_json(energy)

    def energy(self) -> Energy:
        """Of all sessions until now. Asked for often: counters of processors begin anew after minutes."""
        self._spent += self._meter.stop(self._began, graphics=self.graphics)
        self._began = self._meter.start()
        return self._spent


def to_json(energy: Energy) -> dict[str, Json]:
    """Joules and grams to six digits, how they were found, and what they rest on."""
    rounded = replace(energy, joules=_six_digits(energy.joules), grams=_six_digits(energy.grams))
    return {**asdict(rounded), "assumptions": list(energy.assumptions)}


def _six_digits(value: float) -> float:
    """Significant ones: short runs take fractions of a gram."""
    return float(f"{value:.6g}")


def from_json(said: Mapping[str, Json]) -> Energy:
    """What ``to_json`` wrote.

    Raises:
        KeyError, TypeError, ValueError: it is nothing of the kind.
    """
    assumptions = said["assumptions"]
    if not isinstance(assumptions, list):
        raise TypeError("no energy")
    return Energy(
        joules=float(said["joules"]),  # type: ignore[arg-type]  # a TypeError is an answer
        grams=float(said["grams"]),  # type: ignore[arg-type]
        method="measured" if said["method"] == "measured" else "estimated",
        assumptions=tuple(str(one) for one in assumptions),
    )
