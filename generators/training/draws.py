"""Where a training run's random numbers come from: a stream for each purpose, and a seeded beginning.

Whatever a step draws is a function of the seed and of the purpose, so that an interruption changes no bit.
"""

from __future__ import annotations

import hashlib
from contextlib import contextmanager
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from collections.abc import Iterator


def stream(seed: int, purpose: str) -> torch.Generator:
    """Random numbers of one purpose, on the CPU."""
    number = hashlib.sha256(f"{seed}:{purpose}".encode()).digest()[:8]
    return torch.Generator("cpu").manual_seed(int.from_bytes(number, "big") >> 1)


@contextmanager
def beginning(seed: int) -> Iterator[None]:
    """First weights drawn inside are a function of the seed; torch's own stream is as before afterwards."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        yield
