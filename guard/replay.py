"""Replay: draw a released picture again from its private record, and say how alike the two are.

1. find the record; what was denied is never drawn again       (``guard.repeatable``)
2. ask the packs about the words and the plan, as they are today
3. load the model, with the threads of then
4. draw the whole batch of then, and keep the picture in question
5. compare: with the digest of its unmarked pixels, else with the released file

Nothing is written, and no picture leaves.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

from generators import given_frames, shared_noise
from generators.adapter_files import examine_adapter
from generators.finishes import asked_again
from generators.replay import Change, Distance, Likeness, changes, distance
from generators.request import GenerationRequest
from generators.starting_points import pixels_digest
from guard.clock import utc_now
from guard.drawing import damaged
from guard.generate import approve, origin_of, planned
from guard.latent import STAGE, Reshading
from guard.marking import enlarge
from guard.tools import TileMarker, Tools
from provenance.errors import ConfigurationError, InputError, IntegrityError
from provenance.media import Frames, is_clip
from provenance.video.container import require_av

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from generators.interface import Generation, Generator
    from generators.recipe import Recipe
    from guard.generate import Approved
    from guard.home import Home
    from guard.repeatable import Known
    from provenance.watermark.key import WatermarkKey

_NO_FILE = "the released file is not at hand: how far apart they are is not known"
_OTHER_FRAMES = (
    "its frames are not those of then; they were marked and compressed as then, and the two clips compared"
)
_OTHER_SIZE = "the released file has another size or length"
_SETTINGS = "the configuration of the model as it was then is not on record, and may be another now"
_NO_DIGEST = "the digest of the unmarked pixels is not on record, and the released file carries a mark"
_OTHER_PIXELS = "its pixels are not those of then; the distance is from the released file, its mark included"


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """What came of drawing a picture again.

    Attributes:
        likeness: exact, perceptual or differs.
        record_id: whose recipe it was.
        content_id: of the release.
        model: reference, as the recipe has it.
        seed: of the picture.
        batch_size: pictures drawn together.
        batch_index: its place among them.
        compared: ``"digest"`` of the unmarked pixels, or ``"file"``, the released one.
        distance: from the released file; None where that was not compared.
        changes: what is not as it was: versions, threads, device, weights, settings, words.
        reasons: what limits the answer, in sentences.
    """

    likeness: Likeness
    record_id: str
    content_id: str
    model: str
    seed: int
    batch_size: int
    batch_index: int
    compared: str
    distance: Distance | None
    changes: tuple[Change, ...]
    reasons: tuple[str, ...]


def deciding(home: Home, *, policy: str | None = None) -> Tools:
    """What a replay works with: packs, clock and records; the signing key stays where it is.

    Raises:
        ConfigurationError: the home or one of its parts is missing or unusable.
    """
    from guard.policy.pack import load_packs  # noqa: PLC0415 - YAML

    locators = home.locators()
    return Tools(
        packs=load_packs(home.config().policy if policy is None else policy),
        marker=TileMarker(key=locators[0]),
        trust=home.trust(),
        records=home.records(),
        clock=utc_now,
        random=secrets.token_bytes,
        locators=locators,
    )


def replay(
    known: Known,
    tools: Tools,
    *,
    load: Callable[[str, int], Generator],
    model: str | None = None,
    inputs: Mapping[str, Frames] | None = None,
) -> Replay:
    """Steps 2 to 5.

    Args:
        known: from ``guard.repeatable.find``.
        tools: packs, clock and locator keys; nothing is signed.
        load: the generator behind a reference, for a number of threads.
        model: where the model is now; None: where it was.
        inputs: ``init`` and ``mask``, if it was drawn from such; they are not kept.

    Raises:
        Denied: the packs refuse the words or the plan today; nothing was drawn.
        InputError: the model cannot be loaded, or a part of the recipe cannot be repeated: ``replay.…``.
        ConfigurationError: ``replay.key-gone``.
    """
    request = _request(known, model, inputs or {})
    _check_adapters(known)
    latents = _latents(known, tools.locators)
    approved = approve(request, tools)  # (2)
    generator = load(request.model, known.recipe.environment.threads)  # (3)
    planned(origin_of(generator, approved.review), tools, generator)
    pictures = generator.generate(approved.request, latents=latents)  # (4)
    again = next(islice(pictures, known.recipe.batch_index, None), None)
    if again is None:
        what = "the model made fewer pictures than it did then"
        raise IntegrityError("replay.too-few", what, where=request.model)
    return _compared(known, approved, again, tools.locators)  # (5)


def _request(known: Known, model: str | None, inputs: Mapping[str, Frames]) -> GenerationRequest:
    recipe, drawing, record = known.recipe, known.drawing, known.record
    _check_inputs(known, inputs)
    given: dict[str, Any] = {"seeds": known.seeds, **inputs}
    given |= {"prompt": record.prompt or "", "negative_prompt": record.negative_prompt or ""}
    finish = asked_again(recipe.finish)
    if drawing is not None:
        try:
            given |= {**drawing.asked, "adapters": drawing.adapters}
            given["options"] = {**drawing.options, **finish}
            return GenerationRequest(model=model or drawing.model, **given)
        except (TypeError, InputError) as error:  # no request was ever so: nobody wrote this record so
            raise damaged() from error
    return GenerationRequest(
        model=model or recipe.model.ref,
        width=recipe.width,
        height=recipe.height,
        num_inference_steps=recipe.steps,
        guidance_scale=recipe.guidance_scale,
        fast=tuple(profile.name for profile in recipe.fast),
        options={**recipe.options, **finish},
        **given,
    )


def _check_inputs(known: Known, inputs: Mapping[str, Frames]) -> None:
    """What it started from is not kept; whoever has it hands it over, and its digest says whether it is that.

    Raises:
        InputError: ``replay.inputs``.
    """
    drawing, recipe = known.drawing, known.recipe
    needed = {} if drawing is None else drawing.inputs
    found = {name: pixels_digest(frames) for name, frames in inputs.items()}
    if found == needed and not (drawing is None and recipe.init_sha256):
        return
    hint = "guard replay FILE --init START --mask MASK, with the files of then"
    raise InputError("replay.inputs", _misfit(needed, found), where=known.record.record_id, hint=hint)


def _misfit(needed: Mapping[str, str], found: Mapping[str, str]) -> str:
    for name in ("init", "mask"):
        if name in needed and name not in found:
            return f"it was drawn from {name}, which is not kept, and none was given"
        if name in found and name not in needed:
            return f"it was drawn without {name}, and one was given"
        if found.get(name) != needed.get(name):
            return f"{name} is not the one that it was drawn from"
    return "it was drawn from a picture whose digest is not on record"


def _check_adapters(known: Known) -> None:
    """Every adapter lies where it lay, and is the file that it was.

    Raises:
        InputError: ``replay.adapter-changed``; ``adapter.not-found`` and others of ``examine_adapter``.
    """
    asked = () if known.drawing is None else known.drawing.adapters
    laid = known.recipe.adapters[: len(asked)]  # after those asked for come the model's own
    if len(laid) < len(asked):
        raise damaged()
    for ref, record in zip(asked, laid, strict=True):
        if examine_adapter(ref).sha256 != record.sha256:
            what = "the adapter is not the file that the picture was drawn with"
            raise InputError(
                "replay.adapter-changed", what, where=ref.ref, hint="restore it from a copy, and replay again"
            )


_ASKED = frozenset({shared_noise.NAME, given_frames.NAME})
"""Hooks of motion models that stand in the request, and come back with it."""


def _latents(known: Known, keys: Sequence[WatermarkKey]) -> Reshading | None:
    """Whatever changed the noise it was drawn from; between the steps nothing of ours does.

    Raises:
        InputError: ``replay.hook``, a hook that somebody else wrote.
        ConfigurationError: ``replay.key-gone``.
    """
    where = known.record.record_id
    hooks = [hook for hook in known.recipe.hooks if hook.name not in _ASKED]
    if not hooks:
        return None
    if len(hooks) > 1 or hooks[0].name != STAGE:
        names = ", ".join(hook.name for hook in hooks)
        what = f"it was drawn with hooks that a recipe cannot bring back: {names}"
        raise InputError("replay.hook", what, where=where, hint="guard explain replay.hook")
    named = hooks[0].parameters
    for key in keys:
        if (key.key_id, key.epoch) == (named.get("key_id"), named.get("epoch")):
            return Reshading(key=key, stage=hooks[0])
    what = "it was drawn from marked noise, and the key of that mark is not here"
    raise ConfigurationError("replay.key-gone", what, where=where, hint="restore keys/ from a backup")


def _compared(
    known: Known, approved: Approved, again: Generation, locators: Sequence[WatermarkKey]
) -> Replay:
    drawing, recipe, record = known.drawing, known.recipe, known.record
    same = drawing is not None and pixels_digest(again.frames) == drawing.pixels_sha256
    far, reasons = (None, ()) if same else _from_file(known, again.frames, locators)
    # Two clips may be alike once compressed whose pixels before that are not.
    exact = same or (far is not None and far.psnr is None and again.frames.fps is None)
    close = Likeness.PERCEPTUAL if far is not None and far.invisible else Likeness.DIFFERS
    return Replay(
        likeness=Likeness.EXACT if exact else close,
        record_id=record.record_id,
        content_id=record.content_id,
        model=recipe.model.ref,
        seed=recipe.seed,
        batch_size=recipe.batch_size,
        batch_index=recipe.batch_index,
        compared="digest" if same or far is None else "file",
        distance=far,
        changes=(*changes(recipe, again.recipe), *_words(known, approved, again)),
        reasons=() if exact else (*reasons, *_unknown(recipe, again.recipe)),
    )


def _unknown(then: Recipe, now: Recipe) -> tuple[str, ...]:
    return (_SETTINGS,) if now.model.settings and not then.model.settings else ()


def _from_file(
    known: Known, drawn: Frames, locators: Sequence[WatermarkKey]
) -> tuple[Distance | None, tuple[str, ...]]:
    """From the released file, and what stands in the way of a better answer."""
    from provenance.codecs import decode, read_asset  # noqa: PLC0415 - Pillow

    why = _NO_DIGEST if known.drawing is None else _OTHER_PIXELS
    if known.file is None:
        return None, (_NO_FILE,)
    asset = read_asset(known.file)
    if is_clip(asset.mime):
        from guard.replay_clips import clip_distance  # noqa: PLC0415 - PyAV

        require_av()
        far = clip_distance(drawn, asset, locators)
        return far, (_OTHER_FRAMES,) if far is not None else (_OTHER_SIZE,)
    released = decode(asset)
    if (drawn.width, drawn.height) != (released.width, released.height):
        drawn, _ = enlarge(drawn, min(released.width, released.height))  # as a release does for a mark
    far = distance(drawn, released)
    return far, (why,) if far is not None else (_OTHER_SIZE,)


def _words(known: Known, approved: Approved, again: Generation) -> Iterator[Change]:
    """Whether other words reached the model; which ones is nobody's business here."""
    drawing, used = known.drawing, approved.request
    if drawing is None:
        return
    if (used.prompt, used.negative_prompt) != (drawing.prompt, drawing.negative_prompt):
        yield Change(what="words after review", before="those on record", now="others")
    elif again.prompt_used != drawing.prompt_used:
        yield Change(what="words that reach the model", before="those on record", now="others")
