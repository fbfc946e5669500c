"""What one picture under one method came to, as values that go through a checkpoint and back."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from provenance.canonical import Json


def shown(reference: str) -> str:
    """A method's reference as results name it: of a file of weights its name, not the folder it lies in."""
    name, colon, file = reference.partition(":")
    return name + colon + Path(file).name


@dataclass(frozen=True, slots=True, kw_only=True)
class Survival:
    """What one attack left.

    Attributes:
        attack: its name.
        exact: every bit came back, and the method vouches for it if it ever does.
        wrong: other bits came back that the method vouches for; None for methods that never do.
        accuracy: share of right bits; 0.5, a guess, where the method returned none.
        score: evidence for a mark: the method's own score, else the share of right bits.
        present: the method's own decision; None for methods that take none.
        milliseconds: processor time of reading.
        psnr: dB between the picture before and after the attack; None where pixels moved or all are equal.
        ssim: likewise; None where pixels moved.
    """

    attack: str
    exact: bool
    wrong: bool | None
    accuracy: float
    score: float
    present: bool | None
    milliseconds: float
    psnr: float | None
    ssim: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Null:
    """What a method says about a picture without a mark.

    Attributes:
        scores: as in ``Survival``, under decoy keys or against decoy payloads.
        looks: readings that the scores come from.
        marks: readings in which the method said that there was a mark; None if it never says so.
    """

    scores: tuple[float, ...]
    looks: int
    marks: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One picture under one method.

    Attributes:
        method: as ``shown``.
        identity: of the method, with digests of weights.
        payload_bits: that it carries.
        picture: id of the sample.
        name: of the sample.
        source: of the sample.
        width: in pixels.
        height: in pixels.
        refused: code of the error with which the method refused to mark this picture; None where it did not.
        psnr: dB of the mark; None where refused or where nothing changed.
        ssim: of the mark; None where refused.
        milliseconds: processor time of marking.
        survivals: one for each attack; empty where refused.
        null: the same picture without a mark.
    """

    method: str
    identity: str
    payload_bits: int
    picture: str
    name: str
    source: str
    width: int
    height: int
    refused: str | None
    psnr: float | None
    ssim: float | None
    milliseconds: float
    survivals: tuple[Survival, ...]
    null: Null

    @property
    def place(self) -> tuple[str, str]:
        """Which trial of a run it is."""
        return self.method, self.picture

    def to_json(self) -> dict[str, Json]:
        """Plain values, for a line of a checkpoint."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Trial:
        """What ``to_json`` gave.

        Raises:
            KeyError, TypeError: it is something else.
        """
        survivals = tuple(Survival(**survival) for survival in data["survivals"])
        null = data["null"]
        scores = tuple(float(score) for score in null["scores"])
        rebuilt = {**data, "survivals": survivals, "null": Null(**{**null, "scores": scores})}
        return cls(**rebuilt)
