"""Pictures to the planes of a digest, and a digest to the picture that it keeps. numpy only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from provenance.digest import COARSE, malformed
from provenance.digest_code import decode_planes, nearest_planes, step_of
from provenance.digest_grid import area_means, to_lab, to_rgb

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from provenance.digest import Shape, VisualDigest
    from provenance.digest_grid import Placed, View

    Planes = tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Reference:
    """The picture that a digest keeps.

    Attributes:
        released: (width, height) of the released picture, in pixels.
        shape: of the fine grid.
        fine: (rows, columns, 3) in 0..1.
        colors: (rows / 2, columns / 2, 3) in 0..1, with a* and b* as they are signed.
        lightness: (rows, columns), L* as it is signed; ``fine`` has it only where colours can be shown.
        chroma: (rows / 2, columns / 2, 2), a* and b* as they are signed.
        coarse: (32, 32, 3) in 0..1, whatever the picture's sides.
        step: by which lightness was rounded, in L* units.
    """

    released: tuple[int, int]
    shape: Shape
    fine: NDArray[np.float64]
    colors: NDArray[np.float64]
    lightness: NDArray[np.float64]
    chroma: NDArray[np.float64]
    coarse: NDArray[np.float64]
    step: float

    @classmethod
    def of(cls, digest: VisualDigest) -> Reference:
        """Decode ``digest``.

        Raises:
            IntegrityError: ``digest.malformed``.
        """
        try:
            planes = decode_planes(digest.code, digest.shape)
        except ValueError as error:
            raise malformed(str(error)) from error
        lightness, *color = planes
        fine = _shown(planes)
        return cls(
            released=(digest.width, digest.height),
            shape=digest.shape,
            fine=fine,
            lightness=lightness,
            chroma=np.stack(color, axis=-1),
            colors=to_rgb(np.stack([quarter(lightness), *color], axis=-1)),
            coarse=_coarse(fine),
            step=step_of(digest.code),
        )

    def nearest(self, laid: Placed) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """The picture most like a copy of all those that this digest may stand for, and that copy.

        A grid cannot keep strong colours in small blocks, nor stripes that beat with it, and what it keeps is
        rounded. So the copy goes through the same: its cells are kept as a digest keeps them, and of the
        signed coefficients each may lie anywhere within its rounding.

        Args:
            laid: the copy on the fine grid.

        Returns:
            (32, 32, 3) each, as ``coarse`` is made.
        """
        planes = _planes(np.where(laid.covered[..., None], laid.rgb, self.fine))
        signed = (self.lightness, self.chroma[..., 0], self.chroma[..., 1])
        return as_kept(nearest_planes(signed, planes, self.step)), as_kept(planes)


def planes_of(view: View, shape: Shape) -> Planes:
    """L* of each cell's mean, a* and b* of each four cells' mean."""
    return _planes(area_means(view.rgb, shape.rows, shape.columns))


def _planes(rgb: NDArray[np.floating]) -> Planes:
    color = to_lab(quarter(rgb))
    return to_lab(rgb)[..., 0], color[..., 1], color[..., 2]


def as_kept(planes: Planes) -> NDArray[np.float64]:
    """(32, 32, 3) in 0..1: what the coarse grid shows of a picture that went through a digest's planes."""
    return _coarse(_shown(planes))


def _shown(planes: Planes) -> NDArray[np.float64]:
    """(rows, columns, 3) in 0..1."""
    lightness, *color = planes
    return to_rgb(np.stack([lightness, *(_spread(plane, lightness.shape) for plane in color)], axis=-1))


def _coarse(fine: NDArray[np.float64]) -> NDArray[np.float64]:
    return area_means(fine, COARSE, COARSE).astype(np.float64)


def quarter(plane: NDArray[np.floating]) -> NDArray[np.floating]:
    """Means of two by two cells: (rows, columns, …) to (rows / 2, columns / 2, …)."""
    rows, columns, *rest = plane.shape
    return np.asarray(plane.reshape(rows // 2, 2, columns // 2, 2, *rest).mean(axis=(1, 3)))


def _spread(plane: NDArray[np.float64], shape: tuple[int, ...]) -> NDArray[np.float64]:
    """Each value between its neighbours, at twice the fineness, so that means of two by two stay close."""
    for axis in (0, 1):
        moved = np.moveaxis(plane, axis, 0)
        before = np.concatenate([moved[:1], moved[:-1]])
        after = np.concatenate([moved[1:], moved[-1:]])
        both = np.stack([0.75 * moved + 0.25 * before, 0.75 * moved + 0.25 * after], axis=1)
        plane = np.moveaxis(both.reshape(2 * moved.shape[0], *moved.shape[1:]), 0, axis)
    assert plane.shape == shape
    return plane
