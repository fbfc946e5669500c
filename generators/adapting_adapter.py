"""Lays adapters over a loaded pipeline while a batch is drawn, and takes them off again bit for bit."""

from __future__ import annotations

import warnings
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import diffusers
import torch

from generators.adapter_files import ADAPTER, examine_adapter, not_safetensors
from generators.interface import Generation, GenerationWarning
from generators.learned_words_adapter import parts, taught, words_laid_over
from generators.lora_strength import as_trained, half_layer
from generators.recipe import AdapterRecord
from generators.tensors_adapter import read_tensors
from provenance.errors import InputError, reason

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from generators.adapter_files import AdapterFile
    from generators.interface import LatentInit, StepHook
    from generators.request import AdapterRef, GenerationRequest

_SHOWN = 200
"""Characters of the name of a tensor."""
_AS_WRITTEN = "use the model it was trained on, and a file as diffusers or PEFT write it"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Adapter:
    """An adapter in memory: the file it came from, LoRA tensors, vectors (n, width) of learned words."""

    file: AdapterFile
    lora: dict[str, torch.Tensor]
    words: dict[str, torch.Tensor]


def drawn_with_adapters(
    generator: Any, request: GenerationRequest, hooks: Sequence[StepHook], latents: LatentInit | None
) -> Iterator[Generation]:
    """What ``generator`` draws of ``request`` with its adapters laid over.

    They lie over the pipeline only while a batch is computed: another request of the same generator may be
    drawn from in turns with this one.

    Raises:
        InputError: ``adapter.…``, or a model that takes no adapters; as ``Generator.generate`` otherwise.
        IntegrityError: ``adapter.record-differs``.
    """
    adapters = load_adapters(generator.pipeline, request.adapters)
    words = {word: v for one in adapters if one.file.scale for word, v in one.words.items()}
    records = tuple(_record(one.file) for one in adapters)
    warned = tuple(w for one in adapters for w in _warnings(one.file, generator.info.weights_sha256))
    plain = replace(generator, vocabulary=taught(generator.vocabulary, words))
    together = max(1, generator.defaults.batch)
    for start in range(0, len(request.seeds), together):
        part = replace(request, adapters=(), seeds=request.seeds[start : start + together])
        with laid_over(generator.pipeline, adapters):
            made = list(plain.generate(part, hooks, latents=latents))
        for one in made:
            recipe = replace(one.recipe, adapters=records)
            yield replace(one, recipe=recipe, warnings=one.warnings + warned)


def load_adapters(pipeline: Any, asked: Sequence[AdapterRef]) -> tuple[Adapter, ...]:
    """Every adapter, looked through and read into memory."""
    if not hasattr(pipeline, "load_lora_weights") or not hasattr(pipeline, "unet"):
        raise InputError(
            "request.unsupported", "this model takes no adapters", where="adapters", hint="leave them out"
        )
    if any(pipeline.get_list_adapters().values()):
        what = "this pipeline carries adapters already, which would be lost"
        raise InputError("request.unsupported", what, where="adapters", hint="leave them out")
    return tuple(_loaded(examine_adapter(one)) for one in asked)


def _loaded(file: AdapterFile) -> Adapter:
    tensors = read_tensors(file.path, single=False, refusal=not_safetensors(file.path))
    odd = next((n for n, v in tensors.items() if not (v.is_floating_point() or n.endswith(".alpha"))), None)
    if odd is not None:
        raise _misfit(f"{odd[:_SHOWN]} holds {tensors[odd].dtype} numbers".replace("torch.", ""), [file])
    words = {word: torch.atleast_2d(tensors.pop(word).float()) for word in file.words}
    if (half := half_layer(tensors)) is not None:
        raise _misfit(f"the other half of {half[:_SHOWN]} is missing", [file])
    with _checked([file]):
        lora = as_trained(tensors, file.strength)
    if not all(value.float().isfinite().all() for value in (*lora.values(), *words.values())):
        what = "the adapter holds numbers that are none (NaN or infinity)"
        raise InputError("adapter.not-finite", what, where=str(file.path), hint="train it again")
    return Adapter(file=file, lora=lora, words=words)


@contextmanager
def laid_over(pipeline: Any, adapters: Sequence[Adapter]) -> Iterator[None]:
    """The pipeline with ``adapters``, each at its scale; afterwards it is as it was, bit for bit."""
    words = {word: v for one in adapters if one.file.scale for word, v in one.words.items()}
    loras = {f"adapter_{i}": one for i, one in enumerate(adapters) if one.file.lora}
    _check_words(pipeline, [one for one in adapters if one.words and one.file.scale])
    with words_laid_over(pipeline, words):
        try:
            for name, one in loras.items():
                with _checked([one.file]):
                    pipeline.load_lora_weights(dict(one.lora), adapter_name=name)
                    _check_placed(pipeline, name, one.lora)
            with _checked([one.file for one in loras.values()]):
                if loras:
                    pipeline.set_adapters(list(loras), [one.file.scale for one in loras.values()])
            yield
        finally:
            if loras:
                pipeline.unload_lora_weights()


@contextmanager
def _checked(files: Sequence[AdapterFile]) -> Iterator[None]:
    """Errors of the libraries about shapes and names, in one line; they log and warn of them besides."""
    before = diffusers.utils.logging.get_verbosity()
    diffusers.utils.logging.set_verbosity(diffusers.utils.logging.CRITICAL)
    try:
        with warnings.catch_warnings(action="ignore"):
            yield
    except (RuntimeError, ValueError, KeyError, IndexError, AttributeError, TypeError) as error:
        sizes = "size mismatch" in str(error)
        why = "its tensors are of other sizes than this model's layers" if sizes else reason(error)
        raise _misfit(why.partition(":")[0], files) from error
    finally:
        diffusers.utils.logging.set_verbosity(before)


def _check_placed(pipeline: Any, name: str, tensors: dict[str, torch.Tensor]) -> None:
    """Every tensor changes a layer, and every layer that is changed has all of its tensors.

    Of those without a layer the libraries only write a log line. A factor whose other half is missing
    leaves that one empty, without numbers: what it adds to a layer would be chance.
    """
    wanted = [key for key in tensors if not key.endswith(".alpha")]
    placed = [
        value
        for part in pipeline.components.values()
        if isinstance(part, torch.nn.Module)
        for key, value in part.named_parameters()
        if name in key.split(".")
    ]
    if any(value.is_meta for value in placed):
        raise ValueError("one of its layers lacks a part")
    if len(placed) < len(wanted):  # it may be more: a layer that is one there may be three here
        raise ValueError(f"no layer for {len(wanted) - len(placed)} of its {len(wanted)} tensors")


def _check_words(pipeline: Any, adapters: Sequence[Adapter]) -> None:
    """Learned words are vectors of this model's text encoder, and each is nobody else's word."""
    if not adapters:
        return
    files = [one.file for one in adapters]
    if getattr(pipeline, "text_encoder", None) is None or hasattr(pipeline, "text_encoder_2"):
        raise _misfit("it reads prompts in another way", files)
    width = pipeline.text_encoder.get_input_embeddings().weight.shape[1]
    most, known = pipeline.tokenizer.model_max_length, set(pipeline.tokenizer.get_vocab())
    for word, vectors in (pair for one in adapters for pair in one.words.items()):
        if vectors.ndim != 2 or vectors.shape[1] != width or not 1 <= len(vectors) <= most:
            raise _misfit(f"its words have vectors of {width} numbers, up to {most} a word", files)
        written = set(parts(word, len(vectors)))
        if written & known:
            raise _misfit("a word it was taught is known already, to the model or by another", files)
        known |= written


def _misfit(why: str, files: Sequence[AdapterFile]) -> InputError:
    return InputError(
        "adapter.does-not-fit",
        f"the adapter does not fit this model: {why}",
        where=", ".join(one.path.parent.name if one.path.name == ADAPTER else one.path.name for one in files),
        hint=_AS_WRITTEN,
    )


def _record(file: AdapterFile) -> AdapterRecord:
    return AdapterRecord(
        method=file.method, sha256=file.sha256, scale=file.scale, training_sha256=file.training
    )


def _warnings(file: AdapterFile, weights_sha256: str) -> Iterator[GenerationWarning]:
    if file.base is not None and file.base != weights_sha256:
        yield GenerationWarning(
            code="adapter.other-base", message="an adapter was trained on other weights than these"
        )
    if file.training is None:
        yield GenerationWarning(
            code="adapter.no-record", message="an adapter names no record of its training"
        )
    elif not file.recorded:
        yield GenerationWarning(
            code="adapter.record-missing",
            message="the record of an adapter's training is not beside it: what it says of data and consent"
            " cannot be read",
        )
