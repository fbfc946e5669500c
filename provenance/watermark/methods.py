"""Every marking method under one small protocol, so that they can be measured side by side.

``method("dwtDct")`` loads what it needs and nothing else. Only ``tile`` is ours and keyed; the others are
here to be read, compared with and replaced. A name may carry a local file: ``trustmark:FILE``.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Protocol, cast

from provenance.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray

    from provenance.watermark.key import WatermarkKey


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MethodReading:
    """What a method's decoder returns for one picture.

    Attributes:
        bits: (payload_bits,) bool, or None when the method knows that it could not read them. Methods
            without a check return bits for any picture.
        present: the method's own decision that a mark is there; None when it takes none.
        score: grows with the evidence for a mark, in the method's own unit; None when it has none.
    """

    bits: NDArray[np.bool_] | None
    present: bool | None = None
    score: float | None = None


class Method(Protocol):
    """One way to write bits into a picture and to read them back; the same input gives the same output."""

    @property
    def name(self) -> str:
        """As given to ``method``, without the file."""
        ...

    @property
    def payload_bits(self) -> int:
        """Bits written at once."""
        ...

    @property
    def identity(self) -> str:
        """Algorithm, and the digests of weights where there are any: what a result must name."""
        ...

    def embed(self, pixels: NDArray[np.uint8], bits: NDArray[np.bool_]) -> NDArray[np.uint8]:
        """``pixels``, (H, W, 3) RGB, with ``bits``, (payload_bits,), in them; the input stays as it is.

        Raises:
            InputError: ``watermark.capacity-exceeded`` when this picture cannot carry the mark.
        """
        ...

    def decode(self, pixels: NDArray[np.uint8]) -> MethodReading:
        """What can be read from (H, W, 3) RGB ``pixels`` without knowing the original."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class MethodOptions:
    """What a method may need to be loaded.

    Attributes:
        key: for ``tile``; the others have none.
        payload_bits: where the method lets one choose; 0 for its own default.
        threads: for methods that run a network; one makes results repeatable.
        file: the part of the name behind the colon; None without one.
    """

    key: WatermarkKey | None = None
    payload_bits: int = 0
    threads: int = 1
    file: str | None = None


METHODS = {
    "tile": "provenance.watermark.tile_method:load",
    "dwtDct": "provenance.watermark.legacy:load_dct",
    "dwtDctSvd": "provenance.watermark.legacy:load_svd",
    "rivaGan": "provenance.watermark.rivagan:load_method",
    "trustmark": "provenance.watermark.trustmark:load_method",
    "videoseal": "provenance.watermark.seals:load_videoseal",
    "pixelseal": "provenance.watermark.seals:load_pixelseal",
}
"""Name → ``module:function``; the function takes ``MethodOptions``."""


def method(
    reference: str, *, key: WatermarkKey | None = None, payload_bits: int = 0, threads: int = 1
) -> Method:
    """The method called ``NAME`` or ``NAME:FILE``.

    Raises:
        InputError: ``watermark.method`` for a name that is not in ``METHODS``.
        ConfigurationError: ``extra.missing`` or ``weights.*`` when what it needs is not there.
    """
    name, _, file = reference.partition(":")
    where = METHODS.get(name)
    if where is None:
        raise InputError(
            "watermark.method",
            f"no marking method is called {name!r}",
            hint=f"one of {', '.join(sorted(METHODS))}",
        )
    module, _, function = where.partition(":")
    load = cast("Callable[[MethodOptions], Method]", getattr(import_module(module), function))
    return load(MethodOptions(key=key, payload_bits=payload_bits, threads=threads, file=file or None))
