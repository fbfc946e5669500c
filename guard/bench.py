"""``guard bench generators``: what was asked for, put together; and the sheets of previews.

Models are drawn from through the guarded path (``guard.sampling``), one at a time in memory.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from audits.quality.lab import Setup, measure, name_of
from audits.quality.looking import Instruments
from audits.quality.planted import NAME, read_planted
from audits.quality.sets import named, own
from audits.quality.summary import Against, check_enough, summarise
from generators.registry import bundled_folder, folder_of, load, parse
from guard.bench_instruments import extractor_of, flow_of, oracle_of, reference_of
from guard.home import Home
from guard.preview import sheet, stamped_preview
from guard.replay import deciding
from guard.sampling import GuardedSampler
from provenance.errors import InputError
from provenance.files import read_bounded

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from audits.quality.lab import Measured
    from audits.quality.report import Report
    from audits.quality.sets import PromptSet
    from audits.quality.summary import Table
    from audits.sampler import Sampler
    from guard.tools import Tools
    from provenance.media import Asset

USUAL = "held-out,trained"
"""Sets that are measured where none is named."""
_MOST_PROMPTS, _MOST_BYTES = 1000, 2**20


@dataclass(frozen=True, slots=True, kw_only=True)
class BenchOrder:
    """What ``guard bench generators`` was asked for; see its options."""

    models: tuple[str, ...]
    sets: str | None = None
    prompts: Path | None = None
    pictures: int | None = None
    seed: int = 1
    steps: int | None = None
    guidance: tuple[float, ...] = ()
    oracle: Path | None = None
    reference: Path | None = None
    features: str = "pixels-8x8"
    small: bool = False
    planted: Path | None = None
    online: bool = False
    policy: str | None = None

    def command(self, public: Mapping[str, str]) -> str:
        """The command line that measures this again; files and folders are not named.

        Args:
            public: reference as given → what everyone may read of it.
        """
        words = ["guard bench generators", *(public[model] for model in self.models)]
        told = {"--set": self.sets, "--seed": self.seed, "-n": self.pictures, "--steps": self.steps}
        words += [f"{name} {value}" for name, value in told.items() if value is not None]
        words += [f"--guidance {scale:g}" for scale in self.guidance]
        files = {"--prompts": self.prompts, "--oracle": self.oracle, "--planted": self.planted}
        words += [f"{name} FILE" for name, path in files.items() if path is not None]
        if self.reference is not None:
            words += ["--reference DIR", f"--features {self.features.partition(':')[0]}"]
        return " ".join([*words, *(["--small"] if self.small else [])])


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Opening:
    """Loads the models that are asked for, and keeps what the report says of each.

    Attributes:
        public: reference as given → what everyone may read of it.
        planted: name in results → name of its table of planted shares, and the table.
    """

    order: BenchOrder
    tools: Tools
    public: dict[str, str] = field(default_factory=dict)
    planted: dict[str, tuple[str, Table]] = field(default_factory=dict)

    def __call__(self, model: str) -> Sampler:
        generator = load(model, online=self.order.online)
        self.public[model] = generator.info.public_id
        if (table := _planted(self.order, model)) is not None:
            self.planted[name_of(generator.info)] = table.name, read_planted(table)
        return GuardedSampler(generator=generator, tools=self.tools)


def bench(
    order: BenchOrder, *, checkpoint: Path | None, progress: Callable[[int, int], None]
) -> tuple[Report, Measured]:
    """Draw, read and sum up.

    Args:
        order: what to measure.
        checkpoint: file that keeps finished trials; None keeps nothing.
        progress: called with pictures done and pictures in all.

    Raises:
        InputError: ``bench.…``, ``quality.too-few``; a model cannot be loaded or cannot honour a request.
        ConfigurationError: no home, ``oracle.missing``, ``extra.missing``, ``weights.…``.
        IntegrityError: ``oracle.damaged``.
    """
    opening = _Opening(order=order, tools=deciding(Home.locate().require(), policy=order.policy))
    models = tuple(dict.fromkeys(order.models))
    for model in models:
        parse(model)
    setup = _setup(order)
    oracle = oracle_of(order.oracle, needed=any(one.expected for set_ in setup.sets for one in set_.asked))
    extractor = None if order.reference is None else extractor_of(order.features, oracle, order.oracle)
    reference, refused = reference_of(order.reference, extractor)
    check_enough(setup, reference)
    look = Instruments(reader=oracle, extractor=extractor, flow=flow_of(), preview=stamped_preview)
    measured = measure(models, opening, setup, look, checkpoint=checkpoint, progress=progress)
    against = Against(
        confusion={} if oracle is None else oracle.confusion,
        reference=reference,
        planted=opening.planted,
        refused=refused,
        small=order.small,
    )
    return summarise(measured, against, command=order.command(opening.public)), measured


def sheets(measured: Measured) -> dict[str, Asset]:
    """File name → a sheet of stamped previews, for each model, set and guidance."""
    made: dict[str, Asset] = {}
    for model in measured.models:
        for set_ in measured.setup.sets:
            for guidance in set_.guidance:
                rows = _previews(measured, set_, (model, set_.name, guidance))
                if rows:
                    scale = "" if guidance is None else f" at guidance {guidance:g}"
                    made[f"sheet-{len(made) + 1}.png"] = sheet(f"{model}, {set_.name}{scale}", rows)
    return made


def _previews(
    measured: Measured, set_: PromptSet, group: tuple[str, str, float | None]
) -> list[tuple[str, list[bytes]]]:
    """Name of a prompt and its previews."""
    rows: dict[int, list[bytes]] = {}
    for trial in measured.trials:
        if (trial.model, trial.set, trial.guidance) == group and trial.preview:
            rows.setdefault(trial.item, []).append(base64.b64decode(trial.preview))
    return [(set_.asked[item].name, previews) for item, previews in rows.items()]


def _setup(order: BenchOrder) -> Setup:
    names = order.sets if order.sets is not None or order.prompts is not None else USUAL
    sets = [named(name.strip()) for name in dict.fromkeys(names.split(","))] if names else []
    changed = 0
    if order.prompts is not None:
        sets.append(own(_prompts(order.prompts)))
        changed = order.prompts.stat().st_mtime_ns
    if order.guidance:
        sets = [replace(set_, guidance=tuple(dict.fromkeys(order.guidance))) for set_ in sets]
    return Setup(
        sets=tuple(sets), pictures=order.pictures, seed=order.seed, steps=order.steps, changed=changed
    )


def _prompts(path: Path) -> list[str]:
    try:
        text = read_bounded(path, most=_MOST_BYTES).decode("utf-8")
    except UnicodeDecodeError as error:
        raise _no_prompts("it is not UTF-8 text", path) from error
    prompts = [line.strip() for line in text.splitlines() if line.strip()]
    if not 1 <= len(prompts) <= _MOST_PROMPTS:
        raise _no_prompts(
            f"it holds {len(prompts)} lines with words; 1 to {_MOST_PROMPTS} are possible", path
        )
    return prompts


def _no_prompts(what: str, path: Path) -> InputError:
    return InputError(
        "bench.prompts", f"prompts cannot be read from this file: {what}", where=str(path), hint="one a line"
    )


def _planted(order: BenchOrder, model: str) -> Path | None:
    """The table given, else the one beside the model's weights."""
    if order.planted is not None:
        return order.planted
    ref = parse(model)
    folder = {"bundled": bundled_folder(ref), "dir": folder_of(ref)}.get(ref.kind)
    return folder / NAME if folder is not None and (folder / NAME).is_file() else None
