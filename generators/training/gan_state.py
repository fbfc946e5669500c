"""Two players, their optimisers, the averaged generator and the random state: one checkpoint file."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

import torch

from generators.training import checkpoints
from generators.training.effort import Effort
from generators.training.finite import finite
from generators.training.orders import STATE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

RATE = 0.0025
"""Of generator and discriminator; constant, as usual for two players."""
_BETAS = (0.0, 0.99)
_RAMP = 0.05
"""The average's half-life is at most this share of the pictures seen, or the first weights would linger."""


class Contest:
    """Both players and everything that a later session needs to go on exactly.

    Attributes:
        generator: being trained.
        discriminator: being trained.
        average: of the generator, with its buffers; what is exported.
        rng: the only source of randomness of the run.
        step: rounds played, over all sessions.
    """

    def __init__(
        self,
        generator: torch.nn.Module,
        discriminator: torch.nn.Module,
        *,
        seed: int,
        half_life: float = 5_000,
        rate: float = RATE,
        identity: str = "",
        effort: Effort | None = None,
    ) -> None:
        """``half_life`` of the average, in pictures; ``identity``: a checkpoint of another is refused."""
        self.generator, self.discriminator = generator, discriminator
        self.average = copy.deepcopy(generator).eval().requires_grad_(requires_grad=False)
        self.optimisers = tuple(
            torch.optim.Adam(player.parameters(), rate, betas=_BETAS) for player in (generator, discriminator)
        )
        self.rng = torch.Generator().manual_seed(seed)
        self.step = 0
        self._half_life = half_life
        self.effort = effort or Effort()
        self._identity = identity

    @property
    def seconds(self) -> float:
        """Wall-clock seconds trained, over all sessions."""
        return self.effort.seconds

    def turn(self, player: int) -> None:
        """From now on gradients reach one player only: 0, the generator, or 1, the discriminator."""
        for number, network in enumerate((self.generator, self.discriminator)):
            network.requires_grad_(requires_grad=number == player)

    def descend(self, player: int, loss: torch.Tensor) -> None:
        """One step of the player whose turn it is.

        Raises:
            IntegrityError: ``train.not-finite``; this player is as before then.
        """
        finite(loss).backward()  # type: ignore[no-untyped-call,unused-ignore]
        self.optimisers[player].step()
        self.optimisers[player].zero_grad(set_to_none=True)

    def finish_round(self, pictures: int) -> None:
        """Move the average towards the generator; ``pictures`` were in this round."""
        self.step += 1
        half_life = min(self._half_life, _RAMP * self.step * pictures)
        share = 1 - 0.5 ** (pictures / half_life)
        with torch.no_grad():
            now = [p.detach() for p in self.generator.parameters()]
            torch._foreach_lerp_(list(self.average.parameters()), now, share)
            for mean, value in zip(self.average.buffers(), self.generator.buffers(), strict=True):
                mean.copy_(value)

    def save(self, folder: Path) -> None:
        """Write the checkpoint; a crash in between leaves the one before usable.

        Raises:
            IntegrityError: ``train.not-finite``.
            InputError, ConfigurationError: as ``write_private``.
        """
        folder.mkdir(parents=True, exist_ok=True)
        tensors = {**dict(self._modules()), "rng": self.rng.get_state()}
        for prefix, parameters, optimiser in self._optimised():
            tensors |= checkpoints.optimiser_state(parameters, [optimiser], prefix)
        progress = checkpoints.progress(self.effort, self.step)
        checkpoints.write(folder / STATE, self._identity, tensors, progress)

    def resume(self, folder: Path) -> bool:
        """Continue from ``folder`` if it holds a checkpoint; True when it did.

        Raises:
            InputError: ``train.other-run``.
            IntegrityError: ``train.checkpoint-damaged``; or of networks of another size.
        """
        path = folder / STATE
        if not path.exists():
            return False
        tensors, progress = checkpoints.read(path, self._identity)
        with checkpoints.continuing(path):
            self._restore(tensors)
        self.step = progress.step
        self.effort.resume(progress.seconds, progress.energy)
        return True

    def grow(self, folder: Path) -> None:
        """Begin with what networks of half the size learnt; the new resolution adds nothing yet.

        Progressive growing (Karras et al. 2018), which skip connections make simple.
        """
        tensors, _ = checkpoints.read(folder / STATE, self._identity)
        with torch.no_grad():
            for name, value in self._modules():
                if name in tensors and tensors[name].shape == value.shape:
                    value.copy_(tensors[name])
                elif name.endswith("torgb.weight"):
                    value.zero_()

    def _restore(self, tensors: dict[str, torch.Tensor]) -> None:
        for name, value in self._modules():
            checkpoints.put(value, tensors[name])
        for prefix, parameters, optimiser in self._optimised():
            checkpoints.put_optimiser_state(tensors, parameters, [optimiser], prefix)
        self.rng.set_state(tensors["rng"])

    def _modules(self) -> Iterator[tuple[str, torch.Tensor]]:
        for player in ("generator", "discriminator", "average"):
            for name, value in getattr(self, player).state_dict().items():
                yield f"{player}.{name}", value

    def _optimised(self) -> Iterator[tuple[str, list[torch.Tensor], torch.optim.Optimizer]]:
        for number, optimiser in enumerate(self.optimisers):
            yield f"optimiser.{number}.", optimiser.param_groups[0]["params"], optimiser
