"""What a training run leaves: its record, the result that names it, and what stays private."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from generators.adapter_files import PRIVATE
from provenance.files import write_private

if TYPE_CHECKING:
    from collections.abc import Mapping

    from generators.energy import Energy
    from generators.interface import Generator
    from generators.training.orders import Trained, TrainingOrder
    from generators.training.record import TrainingRecord
    from guard.tools import Tools
    from guard.training import Lesson
    from provenance.canonical import Json


def write_result(
    lesson: Lesson,
    generator: Generator | None,
    trained: Trained,
    tools: Tools,
    folder: Path,
    *,
    energy: Energy,
    force: bool,
) -> TrainingRecord:
    """Write everything into ``folder``; the record of it.

    Raises:
        InputError: ``output.exists``: a whole model would take the place of another, without ``force``.
    """
    from generators.training.adapter_writer import ran_on, write  # noqa: PLC0415 - torch
    from generators.training.model_writer import ran_here, write_model  # noqa: PLC0415 - torch

    write_private(folder / PRIVATE, private_part(lesson), overwrite=True)
    ran = ran_here() if generator is None else ran_on(generator)
    record = _record(lesson, generator, trained, tools, ran=ran, energy=energy)
    if generator is None:
        return write_model(
            folder, trained, lambda digest: replace(record, weights_sha256=digest), replace=force
        )
    if trained.modules is None:
        write(folder, trained, record)
    else:
        from generators.training.motion_writer import write_motion  # noqa: PLC0415 - pipelines of diffusers

        write_motion(folder, trained, record, frames=lesson.order.frames)
    return record


def _record(
    lesson: Lesson,
    generator: Generator | None,
    trained: Trained,
    tools: Tools,
    *,
    ran: Mapping[str, Json],
    energy: Energy,
) -> TrainingRecord:
    from generators.training.effort import to_json  # noqa: PLC0415 - with the command, not before
    from generators.training.record import DataFile, TrainingRecord  # noqa: PLC0415

    info = None if generator is None else generator.info
    base = "" if info is None else info.weights_sha256
    files = (DataFile(sha256=p.sha256, licence=p.licence, consent=p.consent.value) for p in lesson.pictures)
    return TrainingRecord(
        method=lesson.order.method,
        created_at=tools.clock().isoformat(),
        base="none" if info is None else info.public_id,
        base_weights_sha256=base,
        weights_sha256=trained.weights_sha256,
        data=tuple(sorted(files, key=lambda one: one.sha256)),
        settings=_settings(lesson.order, trained.side),
        class_seeds=trained.class_seeds,
        loss_before=trained.loss_before,
        loss_after=trained.loss_after,
        environment=ran,
        energy=to_json(energy),
    )


def _settings(order: TrainingOrder, side: int) -> dict[str, Json]:
    """What was asked for and had an effect: a whole model has neither low ranks nor a class to keep."""
    from generators.training.orders import METHODS  # noqa: PLC0415 - with the command, not before

    method = METHODS[order.method]
    tuned: dict[str, Json] = {} if method.whole else {"rank": order.rank, "prior_weight": order.prior_weight}
    return {
        "steps": order.steps,
        "seed": order.seed,
        "rate": order.rate or method.rate,
        "batch": order.batch,
        "side": side,
        **tuned,
        **({"frames": order.frames} if order.frames > 1 else {}),
    }


def private_part(lesson: Lesson) -> bytes:
    """Names and words: what the record leaves out."""
    order = lesson.order
    files = [
        {"name": one.name, "sha256": one.sha256, "caption": caption}
        for one, caption in zip(lesson.pictures, lesson.captions, strict=True)
    ]
    said = {
        "base": _here(lesson.model),
        "token": order.token,
        "start_from": order.start_from,
        "class_prompt": order.class_prompt,
    }
    return json.dumps({"schema_version": 1, **said, "files": files}, ensure_ascii=False, indent=1).encode()


def _here(model: str) -> str:
    """A reference that leads there from any folder of this machine."""
    kind, _, name = model.partition(":")
    return f"dir:{Path(name).expanduser().resolve()}" if kind == "dir" else model
