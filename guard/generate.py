"""Generate: from a prompt to released pictures or clips.

1. review the words, and ask the packs about them   (nothing is loaded yet; a refusal costs nothing)
2. load the model
3. ask the packs about the plan
4. make the pictures or clips, and release each     (``guard.release``)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from generators.energy import Meter, metered
from guard.clip_output import encoding, require_readable, require_writable
from guard.drawing import drawings
from guard.ingredients import (
    adapter_ingredients,
    model_ingredient,
    start_ingredients,
    training_ingredients,
)
from guard.licences import expression
from guard.plan import ask, unloaded
from guard.policy.fact import Kind
from guard.policy.rule import Stage
from guard.prompt.review import review
from guard.release import Order, release
from guard.stages import Draft, Origin
from provenance.errors import InputError
from provenance.manifest.reading import DigitalSourceType
from provenance.video.container import DRAWN_MIME

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from generators.interface import Generation, Generator, LatentInit
    from generators.request import GenerationRequest
    from guard.drawing import Drawing
    from guard.policy.decision import Decision
    from guard.policy.obligations import Plan
    from guard.prompt.review import PromptReview
    from guard.stages import Released
    from guard.tools import Tools
    from provenance.media import Asset
    from provenance.video.container import VideoCodec

_GENERATED = DigitalSourceType.TRAINED_ALGORITHMIC_MEDIA


@dataclass(frozen=True, slots=True, kw_only=True)
class Approved:
    """A request whose words may be used.

    Attributes:
        request: with the words as reviewed.
        asked: with the words as asked, for the private record.
        review: what the review found.
        decision: what the packs said of the words.
        publish_prompt: also put the prompt into the manifest.
    """

    request: GenerationRequest
    asked: GenerationRequest
    review: PromptReview
    decision: Decision
    publish_prompt: bool = False


def approve(request: GenerationRequest, tools: Tools, *, publish_prompt: bool = False) -> Approved:
    """Step 1: of the prompts, and of every other text that the model would be given beside them.

    Raises:
        Denied: policy refuses the words.
        InputError: the words cannot be reviewed (control characters, too long); ``video.too-large``: a clip
            of this size cannot be released.
    """
    require_readable(request)
    reviewed = review(request.prompt, request.negative_prompt)
    origin = unloaded(request.model, reviewed)
    public = publish_prompt
    decision = ask(Stage.PROMPT, origin, tools, command="generate", include_prompt=public, kind=None)
    if beside := tuple(_texts((dict(request.options), request.scheduler))):
        if not all(map(str.isprintable, beside)):
            what, hint = "an option holds control characters", "give it as plain text"
            raise InputError("request.option", what, hint=hint)
        whole = review(" ".join((request.prompt, *beside)), request.negative_prompt)
        ask(Stage.PROMPT, unloaded(request.model, whole), tools, command="generate", kind=None)
    used = replace(request, prompt=reviewed.prompt, negative_prompt=reviewed.negative_prompt)
    return Approved(
        request=used, asked=request, review=reviewed, decision=decision, publish_prompt=publish_prompt
    )


def _texts(value: object) -> Iterator[str]:
    """Those in a value of JSON, names included: a wrapped function may draw what any of them says."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        yield from _texts(tuple(value.items()))
    elif isinstance(value, Sequence):
        for one in value:
            yield from _texts(one)


def generate(
    approved: Approved,
    generator: Generator,
    tools: Tools,
    *,
    folder: Path,
    made: Callable[[Generation], None] = lambda _generation: None,
    latents: LatentInit | None = None,
    training_mining: str | None = None,
    meter: Meter | None = None,
    start: Asset | None = None,
    codec: VideoCodec | str | None = None,
    finished: Callable[[Released], object] = lambda _released: None,
) -> Iterator[Released]:
    """Steps 3 and 4, picture by picture: what was released stays released if a later one fails.

    Args:
        approved: the request.
        generator, tools: the loaded model; packs, keys, log and clock.
        folder: where the files go; it exists.
        made: called with each picture or clip before it is released.
        latents: changes the noise pictures are drawn from (``guard.latent.Shading``).
        training_mining: what the manifest says of training; None: nothing.
        meter: adds up what the pictures take, those that are refused included; None: one of its own.
        start: file that ``init`` of the request was read from, to be an ingredient with its own history.
        codec: ``"av1"``, ``"vp9"`` or ``"h264"`` for clips, which leave as MP4; None: AV1.
        finished: called with each file as soon as it is out, which no interruption comes before.

    Raises:
        Denied: policy refuses the plan or a picture.
        InputError, ConfigurationError: the model cannot honour a field, or its clips cannot be written here.
    """
    written = _written_with(approved.request, generator, tools, codec, shaded=latents is not None)
    origin = replace(_started_from(approved, generator, start), training_mining=training_mining)
    owed = planned(origin, tools, generator, include_prompt=approved.publish_prompt).obligations
    pictures = metered(generator.generate(approved.request, latents=latents), meter or Meter())
    for generation, drawing in drawings(pictures, approved.request, _encoding(written)):
        made(generation)
        order = _order(approved, _draft(generation, origin, written), drawing, plan=owed, folder=folder)
        yield release(order, tools, finished=finished)


def _started_from(approved: Approved, generator: Generator, start: Asset | None) -> Origin:
    """What the manifest will say, what the request starts from among what went in."""
    origin = origin_of(generator, approved.review)
    return replace(origin, ingredients=(*origin.ingredients, *start_ingredients(approved.request, start)))


def planned(origin: Origin, tools: Tools, generator: Generator, *, include_prompt: bool = False) -> Decision:
    """Step 3: what the packs say of pictures or clips by this model.

    Raises:
        Denied: policy refuses.
    """
    kind = Kind.VIDEO if generator.info.kind == "video" else Kind.IMAGE
    return ask(Stage.PLAN, origin, tools, command="generate", include_prompt=include_prompt, kind=kind)


def _written_with(
    request: GenerationRequest,
    generator: Generator,
    tools: Tools,
    codec: VideoCodec | str | None,
    *,
    shaded: bool,
) -> VideoCodec | None:
    """What clips are compressed with; None for pictures.

    Raises:
        InputError: ``request.unsupported``, ``latent.clip``; as ``require_readable`` and ``require_writable``
            of ``guard.clip_output``.
        ConfigurationError: as there.
    """
    if generator.info.kind != "video":
        if codec is not None:
            what = "this model makes pictures, and the codec is one of clips"
            raise InputError("request.unsupported", what, where="--video-codec", hint="leave it out")
        return None
    if shaded:
        what = "marks in the noise are read from single pictures, and this model makes clips"
        raise InputError("latent.clip", what, where=generator.info.id, hint="leave --latent-mark out")
    require_readable(request, generator.info)
    return require_writable(codec, getattr(tools.marker, "private_number", None))


def _encoding(codec: VideoCodec | None) -> dict[str, str] | None:
    return None if codec is None else encoding(codec)


def _draft(generation: Generation, origin: Origin, codec: VideoCodec | None) -> Draft:
    went_in = (*origin.ingredients, *adapter_ingredients(generation.recipe.adapters))
    return Draft(
        frames=generation.frames,
        mime="image/png" if codec is None else DRAWN_MIME,
        origin=replace(origin, recipe=generation.recipe, ingredients=went_in),
        energy=generation.energy,
        codec=codec,
        notes=tuple(warned.message for warned in generation.warnings),
    )


def _order(approved: Approved, draft: Draft, drawing: Drawing, *, plan: Plan, folder: Path) -> Order:
    return Order(
        draft=draft,
        plan=plan,
        command="generate",
        folder=folder,
        prompt=approved.asked.prompt,
        negative_prompt=approved.asked.negative_prompt,
        publish_prompt=approved.publish_prompt,
        drawing=drawing.text(),
    )


def origin_of(generator: Generator, reviewed: PromptReview) -> Origin:
    """What the manifest will say of pictures by this model. A folder's path stays private."""
    info = generator.info
    seen = info.weights_sha256
    return Origin(
        source_type=_GENERATED,
        software=(info.name, seen[:12]) if seen else None,
        model_name=info.name,
        model_identifier=info.public_id,
        weights_digest=seen or None,
        licence=expression(info.licence),
        data_licence=expression(info.data_licence),
        ingredients=(model_ingredient(info), *training_ingredients(info)) if seen else (),
        review=reviewed,
    )
