"""Two players, their optimisers, the averaged generator and the random state: one checkpoint file.

One file, so that a crash cannot leave the players of different moments; safetensors, so never unpickled.
"""

from __future__ import annotations

import copy
import json
import time
from typing import TYPE_CHECKING, Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from provenance.errors import IntegrityError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_FILE = "state.safetensors"
_RATES = (0.0025, 0.0025)
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
        rates: tuple[float, float] = _RATES,
    ) -> None:
        """``half_life`` of the average, in pictures."""
        self.generator, self.discriminator = generator, discriminator
        self.average = copy.deepcopy(generator).eval().requires_grad_(requires_grad=False)
        self.optimisers = tuple(
            torch.optim.Adam(player.parameters(), rate, betas=_BETAS)
            for player, rate in zip((generator, discriminator), rates, strict=True)
        )
        self.rng = torch.Generator().manual_seed(seed)
        self.step = 0
        self._half_life = half_life
        self._earlier, self._since = 0.0, time.monotonic()

    @property
    def seconds(self) -> float:
        """Wall-clock seconds trained, over all sessions."""
        return self._earlier + time.monotonic() - self._since

    def turn(self, player: int) -> None:
        """From now on gradients reach one player only: 0, the generator, or 1, the discriminator."""
        for number, network in enumerate((self.generator, self.discriminator)):
            network.requires_grad_(requires_grad=number == player)

    def descend(self, player: int, loss: torch.Tensor) -> None:
        """One step of the player whose turn it is."""
        loss.backward()  # type: ignore[no-untyped-call,unused-ignore]
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
        """Write the checkpoint; a crash in between leaves the one before usable."""
        folder.mkdir(parents=True, exist_ok=True)
        tensors = {name: value.detach().contiguous() for name, value in self._modules()}
        tensors |= {f"{name}.{k}": v.contiguous() for name, state in self._states() for k, v in state.items()}
        tensors["rng"] = self.rng.get_state()
        progress = json.dumps({"step": self.step, "seconds": round(self.seconds, 1)})
        part = folder / "state.part"
        save_file(tensors, part, metadata={"progress": progress})
        part.replace(folder / _FILE)

    def resume(self, folder: Path) -> bool:
        """Continue from ``folder`` if it holds a checkpoint; True when it did.

        Raises:
            IntegrityError: ``train.checkpoint``; damaged, or of networks of another size.
        """
        if not (folder / _FILE).exists():
            return False
        try:
            tensors, progress = _read(folder / _FILE)
            self._restore(tensors)
        except (SafetensorError, KeyError, TypeError, ValueError, RuntimeError) as error:
            raise IntegrityError(
                "train.checkpoint",
                "the checkpoint is damaged or belongs to networks of another size",
                where=_FILE,
                hint="continue with the settings it was begun with, or train in a new folder",
            ) from error
        self.step, self._earlier = int(progress["step"]), float(progress["seconds"])
        self._since = time.monotonic()
        return True

    def grow(self, folder: Path) -> None:
        """Begin with what networks of half the size learnt; the new resolution adds nothing yet.

        Progressive growing (Karras et al. 2018), which skip connections make simple.
        """
        tensors, _ = _read(folder / _FILE)
        with torch.no_grad():
            for name, value in self._modules():
                if name in tensors and tensors[name].shape == value.shape:
                    value.copy_(tensors[name])
                elif name.endswith("torgb.weight"):
                    value.zero_()

    def _restore(self, tensors: dict[str, torch.Tensor]) -> None:
        with torch.no_grad():
            for name, value in self._modules():
                value.copy_(tensors[name])
        for number, optimiser in enumerate(self.optimisers):
            for i, parameter in enumerate(optimiser.param_groups[0]["params"]):
                prefix = f"optimiser.{number}.{i}."
                state = {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}
                if state:
                    optimiser.state[parameter] = state
        self.rng.set_state(tensors["rng"])

    def _modules(self) -> Iterator[tuple[str, torch.Tensor]]:
        for player in ("generator", "discriminator", "average"):
            for name, value in getattr(self, player).state_dict().items():
                yield f"{player}.{name}", value

    def _states(self) -> Iterator[tuple[str, dict[str, Any]]]:
        for number, optimiser in enumerate(self.optimisers):
            for i, parameter in enumerate(optimiser.param_groups[0]["params"]):
                yield f"optimiser.{number}.{i}", optimiser.state.get(parameter, {})


def _read(path: Path) -> tuple[dict[str, torch.Tensor], dict[str, float]]:
    with safe_open(path, "pt") as file:
        progress: dict[str, float] = json.loads(file.metadata()["progress"])
        return {name: file.get_tensor(name) for name in file.keys()}, progress  # noqa: SIM118 - not a mapping
