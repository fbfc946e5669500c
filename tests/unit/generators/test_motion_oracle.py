"""The motion oracle on clips whose movement is known."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from generators.movements import MOVEMENTS, STILL, path_of
from generators.oracle.clips import judge, shares
from generators.oracle.motion import confusion, named, read_motion
from generators.training.emoji_motion_data import poses, render
from provenance.media import Frames


def drawing(kind: int) -> torch.Tensor:
    """(4, 96, 96): a face of one of several colours and shapes, not symmetric under turns."""
    y, x = np.mgrid[:96, :96] - 47.5
    rgba = np.zeros((4, 96, 96), np.uint8)
    wide, high = ((36, 40), (42, 30), (30, 42))[kind % 3]
    inside = (x / wide) ** 2 + (y / high) ** 2 < 1
    rgba[:3, inside] = np.array([[230, 180, 60], [90, 60, 40], [60, 110, 220]][kind % 3])[:, None]
    for at, size, colour in (((-14, -10), 6, 20), ((14, -10), 6, 20), ((4, 18), 9, 200 - 60 * (kind % 2))):
        rgba[:3, (x - at[0]) ** 2 + (y - at[1]) ** 2 < size**2] = colour
    rgba[3] = inside * 255
    return torch.from_numpy(rgba)


def clip(movement: str, kind: int, *, frames: int = 8) -> np.ndarray:
    rng = torch.Generator().manual_seed(kind)
    path, backwards = ("across", False) if movement == STILL else path_of(movement)
    pose = poses(path, 1, rng, frames=frames)[0]
    if movement == STILL:
        pose = pose[frames // 2 : frames // 2 + 1].expand(frames, -1)
    drawn = render(drawing(kind), pose.flip(0) if backwards else pose, torch.tensor([0.4, 0.6, 0.5]), rng)
    return ((drawn + 1) * 127.5).clamp(0, 255).byte().permute(0, 2, 3, 1).numpy()


def test_every_movement_is_told_from_the_others() -> None:
    pairs = [
        (movement, read_motion(clip(movement, kind)).movement) for movement in MOVEMENTS for kind in (0, 1)
    ]
    table = confusion(pairs)
    assert np.array_equal(table, 2 * np.eye(len(MOVEMENTS), dtype=int)), table


def test_lengths_of_paths_are_measured_in_numbers() -> None:
    reading = read_motion(clip("growing", 1))
    rng = torch.Generator().manual_seed(1)
    scales = poses("scale", 1, rng, frames=8)[0, :, 0]
    assert reading.scale == pytest.approx(float(torch.log(scales[-1] / scales[0])), abs=0.06)
    assert abs(reading.turn) < 0.08
    assert reading.misfit < 0.03


def test_noise_and_more_frames_do_not_mislead() -> None:
    rng = np.random.default_rng(0)
    for movement in ("leftwards", "clockwise", STILL):
        pixels = clip(movement, 2, frames=12)
        noisy = (pixels + rng.normal(0, 8, pixels.shape)).clip(0, 255).astype(np.uint8)
        assert read_motion(noisy).movement == movement


def test_a_short_path_counts_as_still() -> None:
    nothing = {"across": 0.1, "along": -0.05, "scale": 0.05, "turn": 0.1}
    assert named(nothing) == STILL
    assert named({**nothing, "turn": -0.5}) == "anticlockwise"
    assert read_motion(np.full((8, 64, 64, 3), 90, np.uint8)).movement == STILL


def test_a_clip_is_right_when_subject_and_movement_are() -> None:
    class Reader:
        def read(self, frames: Frames) -> list[dict[str, str]]:
            return [{"subject": "cat" if i else "dog"} for i in range(len(frames.pixels))]

    frames = Frames(pixels=clip("upwards", 0), fps=8.0)
    judged = [
        judge(frames, subject=subject, movement=movement, reader=Reader())
        for subject, movement in (("cat", "upwards"), ("dog", "upwards"), ("cat", "downwards"))
    ]
    assert [one.right for one in judged] == [True, False, False]
    counted = shares(judged)
    assert (counted.n, counted.subjects, counted.movements, counted.both) == (3, 2, 2, 1)
