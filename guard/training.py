"""Train: from a folder of pictures to an adapter with its record.

1. read the pictures and what is said of them
2. ask the packs about every text, licences and consent   (nothing is loaded yet; a refusal costs nothing)
3. load the model, train, or continue                     (``generators.training``)
4. write the record, the adapter that names it, and what stays private
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from generators.adapter_files import PRIVATE
from guard.inspect import draft_facts
from guard.plan import unloaded
from guard.policy.decide import decide
from guard.policy.decision import Stage, authorise
from guard.policy.fact import Consent, known
from guard.policy.facts import Training
from guard.prompt.review import review
from guard.training_data import read_data
from guard.training_outputs import private_part, write_result
from provenance.errors import InputError
from provenance.files import write_private
from provenance.locks import locked

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from generators.energy import Meter
    from generators.interface import Generator
    from generators.training.orders import Example, TrainingOrder
    from generators.training.record import TrainingRecord
    from guard.policy.decision import Decision, Warned
    from guard.prompt.review import PromptReview
    from guard.tools import Tools
    from guard.training_data import DataPicture


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Lesson:
    """Data and order that the packs allow.

    Attributes:
        model: reference of the model to be trained on.
        order: what to do.
        pictures: the data.
        captions: the words that go with each picture, in the same order, as reviewed; private.
        decisions: what the packs said of each text, once for all that are the same.
    """

    model: str
    order: TrainingOrder
    pictures: tuple[DataPicture, ...]
    captions: tuple[str, ...]
    decisions: tuple[Decision, ...]

    @property
    def warnings(self) -> tuple[Warned, ...]:
        """Those of all texts; what holds for several is said once."""
        found = {(one.rule, one.message): one for decision in self.decisions for one in decision.warnings}
        return tuple(found.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """A finished run: its record, where the result lies, and the step an earlier session had reached.

    Attributes:
        modules: the result is a motion model rather than an adapter.
        unchanged: it had been finished before, and every file stayed as it was.
    """

    record: TrainingRecord
    folder: Path
    resumed_at: int
    modules: bool = False
    unchanged: bool = False


def approve_lesson(
    data: Path, order: TrainingOrder, tools: Tools, *, model: str, prompt: str | None = None
) -> Lesson:
    """Steps 1 and 2.

    Raises:
        Denied: a pack refuses a text, or data without licence or consent.
        InputError: as ``read_data``; ``train.no-caption``; texts that cannot be reviewed.
    """
    pictures = read_data(data, frames=order.frames)  # (1)
    words = [_caption(one, prompt, order) for one in pictures]
    texts = dict.fromkeys(t for t in (*words, order.class_prompt, order.start_from) if t is not None)
    reviews = {text: review(text) for text in texts}  # (2)
    decisions = tuple(_asked(one, pictures, model, tools) for one in reviews.values())
    used = {text: one.prompt for text, one in reviews.items()}
    return Lesson(
        model=model,
        order=replace(
            order, class_prompt=_one_of(used, order.class_prompt), start_from=_one_of(used, order.start_from)
        ),
        pictures=pictures,
        captions=tuple(used[text] for text in words),
        decisions=decisions,
    )


def _one_of(used: Mapping[str, str], text: str | None) -> str | None:
    return None if text is None else used[text]


def _caption(picture: DataPicture, prompt: str | None, order: TrainingOrder) -> str:
    """The words that go with a picture; the new word is always among them."""
    text = picture.caption or prompt or ("a picture of a" if order.token else "")
    if not text.strip():
        raise InputError(
            "train.no-caption",
            "a picture has no words to go with it",
            where=picture.name,
            hint="--prompt TEXT, or a caption in data.json",
        )
    return text if order.token is None or order.token in text.split() else f"{text} {order.token}"


def _asked(reviewed: PromptReview, pictures: Sequence[DataPicture], model: str, tools: Tools) -> Decision:
    """What the packs say of a text and of the whole folder, whose weakest file counts.

    Asked before anything is loaded, as for the words of a picture; nothing is released here, so that there
    is no plan to decide on.
    """
    facts = draft_facts(unloaded(model, reviewed), command="train", include_prompt=False)
    consents = {one.consent for one in pictures}
    least = next(c for c in (Consent.UNKNOWN, Consent.GIVEN, Consent.NOT_NEEDED) if c in consents)
    said = Training(licensed=known(all(one.licence for one in pictures)), consent=known(least))
    subject = tools.random(16).hex()
    facts = replace(facts, training=said)
    decision = decide(tools.packs, Stage.PROMPT, facts, now=tools.clock(), subject=subject)
    authorise(decision, stage=Stage.PROMPT, subject=subject)
    return decision


def run_lesson(
    lesson: Lesson,
    generator: Generator | None,
    tools: Tools,
    *,
    folder: Path,
    heard: Callable[[int, float], None] = lambda _step, _loss: None,
    force: bool = False,
    meter: Meter | None = None,
) -> Finished:
    """Steps 3 and 4; a run that was interrupted in ``folder`` goes on where it was.

    A run that is finished there already stays as it is, with the record that signed pictures name.

    Raises:
        InputError: ``output.exists`` unless ``force``; as ``generators.training.orders.train``.
        ConfigurationError: ``lock.timeout``: another run is at work in ``folder``.
    """
    from generators.training.effort import Effort  # noqa: PLC0415 - with the command, not before
    from generators.training.orders import run_digest, train  # noqa: PLC0415
    from generators.training.standing import finished_record  # noqa: PLC0415 - torch

    examples, order = _examples(lesson), lesson.order
    with _alone_in(folder):
        identity = run_digest(order, examples, "" if generator is None else generator.info.weights_sha256)
        if earlier := finished_record(folder, identity, order, replace=force):
            return _as_it_was(lesson, earlier, folder)
        effort = Effort(meter)
        trained = train(generator, examples, order, folder, heard, effort=effort)  # (3)
        energy = effort.energy()
        record = write_result(lesson, generator, trained, tools, folder, energy=energy, force=force)  # (4)
    modules = trained.modules is not None
    return Finished(record=record, folder=folder, resumed_at=trained.resumed_at, modules=modules)


def _as_it_was(lesson: Lesson, earlier: TrainingRecord, folder: Path) -> Finished:
    """What an earlier session finished; only what it keeps private is written where that is gone."""
    from generators.motion_files import is_motion  # noqa: PLC0415 - with the command, not before

    if not (folder / PRIVATE).exists():
        write_private(folder / PRIVATE, private_part(lesson))
    return Finished(
        record=earlier,
        folder=folder,
        resumed_at=lesson.order.steps,
        modules=is_motion(folder),
        unchanged=True,
    )


@contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    lock = folder / ".lock"
    with locked(lock, timeout_s=0.0):
        try:
            yield
        finally:
            lock.unlink(missing_ok=True)


def _examples(lesson: Lesson) -> tuple[Example, ...]:
    from generators.training.orders import Example  # noqa: PLC0415 - with the command, not before

    return tuple(
        Example(pixels=one.pixels, caption=caption, sha256=one.sha256)
        for one, caption in zip(lesson.pictures, lesson.captions, strict=True)
    )
