"""The attack lab: methods × pictures × attacks, in one process or several, continued after a stop."""

from __future__ import annotations

import platform
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from importlib.util import find_spec
from multiprocessing import get_context
from typing import TYPE_CHECKING

from audits.checkpoint import Checkpoint, Kind
from audits.machine import code_digest, version_of
from audits.robustness.attempt import Task, method_of, run_trial
from audits.robustness.samples import Refused, Sample, digest_of
from audits.robustness.sets import attack_set, digest
from audits.robustness.trial import Trial, shown
from provenance.errors import ConfigurationError, Error, InputError, missing_extra
from provenance.watermark.key import SECRET_BYTES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from provenance.canonical import Json

PACKAGES = (
    "invisible-watermark",
    "mediaguard",
    "numpy",
    "onnxruntime",
    "opencv-python-headless",
    "Pillow",
    "scipy",
)
"""Their versions are part of a result."""
_TRIALS = Kind(format="mediaguard attack lab 1", thing="the attack lab", parse=Trial.from_json)
_CODE = (
    "provenance/watermark/*.py",
    *(
        f"audits/robustness/{name}.py"
        for name in ("attacks", "attempt", "fidelity", "filters", "regeneration")
    ),
    *(f"audits/robustness/{name}.py" for name in ("samples", "scales", "sets", "trial")),
)
"""The code that a trial depends on; tables and plots may change and the trials still count."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """What is measured.

    Attributes:
        methods: references for ``provenance.watermark.methods.method``.
        attacks: sets of attacks, with commas between.
        seed: of payloads, keys, noise and decoys.
        decoys: looks at each unmarked picture.
        payload_bits: asked of methods that let one choose; 0 for their own default.
    """

    methods: tuple[str, ...]
    attacks: str = "core35"
    seed: int = 1
    decoys: int = 8
    payload_bits: int = 0

    def command(self, *, crop: int | None = None, most: int | None = None) -> str:
        """The command line that measures this again; the folder of pictures is not named."""
        words = ["guard bench watermark --images DIR", f"--methods {','.join(map(shown, self.methods))}"]
        words += [f"--attacks {self.attacks}", f"--seed {self.seed}", f"--decoys {self.decoys}"]
        options = {"payload-bits": self.payload_bits, "crop": crop, "most": most}
        return " ".join([*words, *(f"--{name} {value}" for name, value in options.items() if value)])


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """All that a report is made from.

    Attributes:
        setup: what was asked for.
        about: digests of code, attacks and pictures; versions; machine.
        samples: the pictures.
        trials: by method and then picture, in the order asked for.
        refused: files and trials that could not be used.
    """

    setup: Setup
    about: dict[str, Json]
    samples: tuple[Sample, ...]
    trials: tuple[Trial, ...]
    refused: tuple[Refused, ...]


def measure(
    samples: Sequence[Sample],
    setup: Setup,
    *,
    refused: tuple[Refused, ...] = (),
    jobs: int = 1,
    checkpoint: Path | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Measured:
    """Run every trial that the checkpoint does not hold.

    Args:
        samples: the pictures; at least one.
        setup: what to measure.
        refused: files that gave no sample, for the report.
        jobs: processes; with 1 everything runs in this one.
        checkpoint: file that keeps finished trials; None keeps nothing.
        progress: called with trials done and trials in all, at the start and after each.

    Raises:
        InputError: ``bench.no-pictures``, ``bench.attacks``, ``bench.checkpoint``, ``watermark.method``.
        ConfigurationError: ``extra.missing``, ``weights.*``, ``bench.worker``.
    """
    if not samples:
        what, hint = "there is no picture to measure on", "put PNG, JPEG, WebP or TIFF pictures there"
        raise InputError("bench.no-pictures", what, hint=hint)
    identities = identities_of(setup)
    store = Checkpoint.open(checkpoint, _run_of(setup), _TRIALS)
    about = {**store.run, "pictures_sha256": digest_of(samples)}
    names = setup.methods
    tasks = {(shown(name), sample.id): _task(sample, name, setup) for name in names for sample in samples}
    left = [task for place, task in tasks.items() if not _holds(store, place, identities[task.method])]
    failed = _finish(left, store, jobs, progress or (lambda *_: None), before=len(tasks) - len(left))
    return Measured(
        setup=setup,
        about=about,
        samples=tuple(samples),
        trials=tuple(store.done[place] for place in tasks if place in store.done),
        refused=(*refused, *failed),
    )


def _holds(store: Checkpoint[Trial], place: tuple[str, str], identity: str) -> bool:
    """Whether that trial is there, of the method as it is now."""
    trial = store.done.get(place)
    return trial is not None and trial.identity == identity


def _finish(
    tasks: Sequence[Task],
    store: Checkpoint[Trial],
    jobs: int,
    progress: Callable[[int, int], None],
    *,
    before: int,
) -> list[Refused]:
    """Run ``tasks`` into ``store``; ``before`` were done already."""
    refused: list[Refused] = []
    total = before + len(tasks)
    progress(before, total)
    for done, outcome in enumerate(_run(tasks, jobs), start=before + 1):
        if isinstance(outcome, Refused):
            refused.append(outcome)
        else:
            store.add(outcome)
        progress(done, total)
    return refused


def _task(sample: Sample, name: str, setup: Setup) -> Task:
    return Task(
        sample=sample,
        method=name,
        payload_bits=setup.payload_bits,
        attacks=setup.attacks,
        seed=setup.seed,
        decoys=setup.decoys,
    )


def _run(tasks: Sequence[Task], jobs: int) -> Iterator[Trial | Refused]:
    if jobs == 1 or len(tasks) < 2:
        one_thread()
        yield from map(attempt, tasks)
        return
    # "spawn": a forked child would inherit the locks of libraries that have started threads.
    pool = ProcessPoolExecutor(jobs, mp_context=get_context("spawn"), initializer=one_thread)
    try:
        for future in as_completed([pool.submit(attempt, task) for task in tasks]):
            yield future.result()
    except BrokenProcessPool as error:
        raise ConfigurationError(
            "bench.worker",
            "a process of the run was ended from outside, most often for want of memory",
            hint="run again with fewer --jobs; with -o it continues where it stopped",
        ) from error
    finally:
        pool.shutdown(cancel_futures=True)


def attempt(task: Task) -> Trial | Refused:
    """The trial, or why this picture cannot be used."""
    try:
        return run_trial(task)
    except Error as error:
        return Refused.of(f"{task.sample.name}, {shown(task.method)}", error)


def one_thread() -> None:
    """One thread, so that processor times mean the same everywhere."""
    import cv2

    cv2.setNumThreads(1)


def identities_of(setup: Setup) -> dict[str, str]:
    """What each method is, digests of weights included: every method is loaded once before the first picture.

    Raises:
        InputError, ConfigurationError: a method does not exist or cannot be loaded here.
    """
    if find_spec("cv2") is None or find_spec("scipy") is None:
        raise missing_extra("watermark", "the attack lab")
    return {name: method_of(name, setup.payload_bits, bytes(SECRET_BYTES)).identity for name in setup.methods}


def _run_of(setup: Setup) -> dict[str, Json]:
    """Everything that a trial depends on beside its picture and its method."""
    return {
        "attacks": setup.attacks,
        "attacks_sha256": digest(attack_set(setup.attacks, setup.seed)),
        "seed": setup.seed,
        "decoys": setup.decoys,
        "payload_bits": setup.payload_bits,
        "code_sha256": code_digest(_CODE),
        "versions": {package: found for package in PACKAGES if (found := version_of(package))},
        "python": platform.python_version(),
        "machine": platform.machine(),
    }
