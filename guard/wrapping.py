"""``guard.wrap``: put mediaguard around a model that a program holds already, in two lines.

    pictures = guard.wrap(pipeline)
    pictures.generate("a lighthouse at dusk", output="out")

What comes out has gone the way of everything released here (``guard.release``): reviewed, marked, signed,
logged, read back. There is no other way out of the object.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from dataclasses import fields as fields_of
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from generators.interface import GeneratorInfo
from guard.home import Home
from guard.output_folders import output_folders
from provenance.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from generators.interface import Generator
    from guard.replay import Replay
    from guard.stages import Released
    from provenance.media import Frames

_UNKNOWN = "unknown"
_FROM_ELSEWHERE = ("prompt", "model", "seeds")
_LONGEST_LICENCE = 500
_MADE = {"image": "pictures", "video": "clips"}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Guarded:
    """A model whose pictures leave by the policy layer only.

    Attributes:
        info: what is said of the model.
    """

    info: GeneratorInfo
    _generator: Generator = field(repr=False)
    _home: Home = field(repr=False)
    _policy: str | None = field(repr=False)
    _check: Callable[[], None] = field(repr=False)

    def generate(
        self,
        prompt: str,
        *,
        output: Path | str,
        n: int = 1,
        seed: int | None = None,
        publish_prompt: bool = False,
        latent_mark: bool = False,
        **fields: Any,
    ) -> tuple[Released, ...]:
        """Make ``n`` pictures or clips and release them into a folder; ``.path`` of each is its file.

        Args:
            prompt: what to draw.
            output: folder for the released files; made if absent. Names come from the random id in the mark.
            n: how many.
            seed: of the first; the next take the following numbers. Drawn at random if absent.
            publish_prompt: put the prompt into the manifest, for everyone to read.
            latent_mark: also mark the noise they are drawn from.
            fields: further fields of ``generators.request.GenerationRequest``: negative_prompt, width,
                height, num_frames, fps, num_inference_steps, guidance_scale, scheduler, adapters, options,
                and init and mask (Pillow images, arrays or ``Frames``).

        Raises:
            Denied: policy refuses the words, the plan or a picture. Pictures before it stay released.
            InputError: an argument is unknown or not of its kind; the model cannot honour a field, failed, or
                returned no picture.
            ConfigurationError: the installation is missing (``guard init``) or unusable.
        """
        how: dict[str, Any] = {"publish_prompt": publish_prompt, "latent_mark": latent_mark}
        return tuple(self.each(prompt, output=output, n=n, seed=seed, **how, **fields))

    __call__ = generate

    def each(
        self,
        prompt: str,
        *,
        output: Path | str,
        n: int = 1,
        seed: int | None = None,
        publish_prompt: bool = False,
        latent_mark: bool = False,
        **fields: Any,
    ) -> Iterator[Released]:
        """As ``generate``, one after the other, each as soon as it is released."""
        from generators.request import GenerationRequest, consecutive_seeds  # noqa: PLC0415
        from guard.generate import approve, generate  # noqa: PLC0415
        from guard.latent import Shading  # noqa: PLC0415
        from guard.tools import assemble  # noqa: PLC0415

        self._check()
        _check_kind("publish_prompt", publish_prompt, bool)
        _check_kind("latent_mark", latent_mark, bool)
        folder = _folder(output)
        tools = assemble(self._home, policy=self._policy)
        first = secrets.randbelow(2**32) if seed is None else seed
        _check_fields(fields)
        given = {name: _given(name, value) for name, value in fields.items()}
        request = GenerationRequest(
            prompt=prompt, model=self.info.id, seeds=consecutive_seeds(first, n), **given
        )
        approved = approve(request, tools, publish_prompt=publish_prompt)
        latents = Shading(key=tools.marker.key, random=tools.random) if latent_mark else None
        mining = self._home.config().training_mining or None
        how: dict[str, Any] = {"latents": latents, "training_mining": mining}
        with output_folders(folder):
            yield from generate(approved, self._generator, tools, folder=folder, **how)

    def replay(self, name: Path | str, *, init: Any = None, mask: Any = None) -> Replay:
        """Draw a picture again that was released here, and say how alike the two are (``guard replay``).

        Args:
            name: the released file, the id in its mark, or the id of its private record.
            init: what it started from, where it did.
            mask: likewise.

        Raises:
            Refused, Denied: it was refused then, or would be today.
            InputError, ConfigurationError: ``guard.replay.replay`` says when.
        """
        from guard.repeatable import find  # noqa: PLC0415
        from guard.replay import deciding, replay  # noqa: PLC0415

        self._check()
        tools = deciding(self._home.require(), policy=self._policy)
        given = {"init": init, "mask": mask}
        inputs = {name: _frames(value) for name, value in given.items() if value is not None}
        known = find(str(name), tools.records)
        return replay(known, tools, load=lambda _ref, _threads: self._generator, inputs=inputs)


def wrap(
    source: Any,
    *,
    name: str | None = None,
    kind: Literal["image", "video"] | None = None,
    licence: str | None = None,
    data_licence: str | None = None,
    policy: str | None = None,
    home: Home | None = None,
) -> Guarded:
    """Put the policy layer around a model that is loaded already.

    Args:
        source: a diffusers pipeline; any ``generators.interface.Generator``; or a function that takes a
            prompt and returns a picture (Pillow image, array, or a list of these) or a clip (an array
            (T, H, W, 3) or a list of frames). A function is given ``seed``, ``width``, … where it has
            parameters of these names.
        name: of the model, for the manifest; None: that of the pipeline's class or of the function. A
            generator says name and licences itself.
        kind: what a function returns, ``"image"`` or ``"video"``: four axes may be either; None: pictures.
            Pipelines and generators say it themselves.
        licence: SPDX expression of the weights; None: unknown, which a pack may refuse.
        data_licence: the same of what they were trained on.
        policy: packs beside ``base``; None: those of the installation.
        home: the installation; None: the usual one.

    Raises:
        InputError: ``wrap.unsupported``; ``model.bad-name``; ``model.bad-licence``; ``request.argument``.
    """
    if kind not in (None, *_MADE):
        hint = "pictures and clips are released: 'image', 'video', or leave kind out"
        raise InputError("wrap.unsupported", "there is no such kind of model", where="kind", hint=hint)
    _check_kind("home", home, Home, optional=True)
    _check_kind("policy", policy, str, optional=True)
    _check_licences(licence=licence, data_licence=data_licence)
    said = {"licence": licence or _UNKNOWN, "data_licence": data_licence or _UNKNOWN}
    made, check = _generator_of(source, name, said, kind=kind or "image")
    if kind not in (None, made.info.kind):
        raise InputError("wrap.unsupported", f"the model makes no {_MADE[kind]}", hint="leave kind out")
    return Guarded(info=made.info, _generator=made, _home=home or Home.locate(), _policy=policy, _check=check)


def _generator_of(
    source: Any, name: str | None, said: dict[str, str], *, kind: Literal["image", "video"]
) -> tuple[Generator, Callable[[], None]]:
    """The model as a generator, and a check that its weights are still those it was described by.

    Raises:
        InputError: as ``wrap``.
    """
    from generators.interface import Generator  # noqa: PLC0415
    from guard.intake import check_name  # noqa: PLC0415

    if isinstance(source, Generator):
        if name is not None or set(said.values()) != {_UNKNOWN}:
            what = "a generator says its name and licences itself"
            raise InputError("wrap.unsupported", what, hint="leave name, licence and data_licence out")
        return source, _unwatched
    called = name or _name_of(source)
    check_name(called, where="name", hint="give the name as people know it, e.g. name='Some API 2'")
    if _is_pipeline(source):
        return _held(source, called, said)
    return _function(source, called, said, kind=kind), _unwatched


def _check_kind(where: str, value: object, kind: type, *, optional: bool = False) -> None:
    """An argument of another kind is an ``InputError``: ``request.argument``."""
    if not isinstance(value, kind) and not (optional and value is None):
        what = f"the argument is a {kind.__name__}, not {type(value).__name__}"
        raise InputError("request.argument", what, where=where)


def _check_licences(**licences: object) -> None:
    """They stand in manifests, as names do; others are an ``InputError``: ``model.bad-licence``."""
    for where, said in licences.items():
        fits = isinstance(said, str) and len(said) <= _LONGEST_LICENCE and said.isprintable()
        if said is not None and not fits:
            what = f"a licence has at most {_LONGEST_LICENCE} printable characters"
            raise InputError("model.bad-licence", what, where=where, hint=f'{where}="Apache-2.0"')


def _unwatched() -> None:
    """Nothing is known of the weights of functions and of other packages' models."""


def _held(pipeline: Any, name: str, said: dict[str, str]) -> tuple[Generator, Callable[[], None]]:
    from generators.held_adapter import hold, watch  # noqa: PLC0415 - torch, which the pipeline has loaded

    held = hold(pipeline, ref=f"wrapped:{name}", name=name, **said)
    return held, watch(held)


def _function(
    source: Callable[..., Any], name: str, said: dict[str, str], *, kind: Literal["image", "video"]
) -> Generator:
    from generators.function import FunctionGenerator, check_plain  # noqa: PLC0415 - numpy

    if not callable(source):
        raise InputError(
            "wrap.unsupported",
            f"a {type(source).__name__} cannot be wrapped",
            hint="give a diffusers pipeline, or a function that takes a prompt and returns a picture",
        )
    check_plain(source)
    info = GeneratorInfo(
        id=f"wrapped:{name}",
        name=name,
        kind=kind,
        width=512,
        height=512,
        weights_sha256="",
        capabilities=("text",),
        **said,
    )
    return FunctionGenerator(info=info, function=source)


def _is_pipeline(source: Any) -> bool:
    """Whether it is a diffusers pipeline, seen without importing diffusers."""
    return any(
        one.__name__ == "DiffusionPipeline" and one.__module__.startswith("diffusers.")
        for one in type(source).__mro__
    )


def _name_of(source: Any) -> str:
    return str(getattr(source, "__name__", None) or type(source).__name__)


def _given(name: str, value: Any) -> Any:
    return _frames(value) if name in ("init", "mask") and value is not None else value


def _frames(value: Any) -> Frames:
    from generators.pictures import start_from  # noqa: PLC0415 - numpy
    from provenance.media import Frames  # noqa: PLC0415

    return value if isinstance(value, Frames) else start_from(value)


def _folder(output: object) -> Path:
    if not isinstance(output, str | Path) or not str(output):
        what = f"the output folder is a text or path, not {type(output).__name__}"
        raise InputError("output.folder", what, where="output", hint='output="out"')
    return Path(output)


def _check_fields(given: Mapping[str, Any]) -> None:
    """Those of a request, but prompt, model and seeds; others are an ``InputError``: ``request.argument``."""
    from generators.request import GenerationRequest  # noqa: PLC0415

    known = [one.name for one in fields_of(GenerationRequest) if one.name not in _FROM_ELSEWHERE]
    for name in given:
        if name not in known:
            hint = f"there are {', '.join(known)}"
            raise InputError("request.argument", "a request has no field of this name", where=name, hint=hint)
