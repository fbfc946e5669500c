"""What a look at the private layer of a mark gives (``provenance.watermark.private``)."""

from __future__ import annotations

from dataclasses import dataclass

CLAIM = "looks from afar like a picture that this installation marked (32 signs of lightness)"
"""No more is known: the signs say nothing about parts, and nothing about who altered them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PrivateReading:
    """What was looked for in the private layer, and how clearly it stood out.

    Attributes:
        key_id: of the private key that fitted best.
        epoch: of that key.
        number: the operator's own that it carries, 1 to 255; None where it carries none.
        log10_p: of the p-value after Bonferroni over keys, looks, numbers and patterns of unsure signs.
        tried: how many of these there were.
    """

    key_id: str
    epoch: int
    number: int | None
    log10_p: float
    tried: int
