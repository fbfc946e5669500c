"""What a manifest is asked to say."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from provenance.errors import InputError
from provenance.manifest.ingredient import MOST, Ingredient
from provenance.manifest.labels import is_checkpoint
from provenance.manifest.reading import DigitalSourceType, SoftBinding

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from provenance.stored import Bytes

_HEX = re.compile(r"[0-9a-f]{2,128}")
_OVERSIGHT = ("fully_autonomous", "prompt_guided", "human_validated")
"""Values of ``humanOversightLevel`` (C2PA 2.4 §18.28)."""
_MINING = ("allowed", "notAllowed", "constrained")


@dataclass(frozen=True, slots=True, kw_only=True)
class ManifestSpec:
    """The statements of one manifest; everything in it becomes public.

    Attributes:
        title: what the file is called, without folders.
        claim_generator_version: version of mediaguard that signs.
        source_type: how the pixels came to be.
        software_agent: name and version of the program or model service that made them.
        model_name: the model, for people.
        model_identifier: the model, for machines, e.g. ``pkg:huggingface/org/model@sha``.
        weights_sha256: one digest over all weight files of the model, lower-case hex.
        model_type: C2PA type of the model (spec §18.28, table 12).
        oversight: human part in making it, a value of §18.28.
        soft_binding: the mark in the pixels, if they carry one.
        watermarked: whether a mark bound to this manifest was put in; needs ``soft_binding``.
        digest_assertion: the signed content digest, JSON values only.
        recipe_commitment: keyed commitment to the recipe, hex; never a plain digest of one.
        content_id: 64-bit content id that the mark carries, hex.
        edited: with a parent: ``source_type`` is a statement about the result, not left to the parent.
        ingredients: what went in besides the parent, in order.
        resized: the picture was scaled, to carry the mark.
        log_checkpoint: the latest signed note of the log (C2SP tlog-checkpoint), against which whoever keeps
            the file can hold the log; None: not embedded.
        training_mining: ``allowed``, ``notAllowed`` or ``constrained`` for training of generative models.
        prompt: the prompt, in plain text; only when its author asked for that.
        when: time of creation as claimed by this machine.
    """

    title: str
    claim_generator_version: str
    source_type: DigitalSourceType = DigitalSourceType.TRAINED_ALGORITHMIC_MEDIA
    software_agent: tuple[str, str] | None = None
    model_name: str | None = None
    model_identifier: str | None = None
    weights_sha256: str | None = None
    model_type: str = "c2pa.types.model"
    oversight: str | None = "prompt_guided"
    soft_binding: SoftBinding | None = None
    watermarked: bool = False
    digest_assertion: Mapping[str, Any] | None = None
    recipe_commitment: str | None = None
    content_id: str | None = None
    edited: bool = False
    ingredients: tuple[Ingredient, ...] = ()
    resized: bool = False
    log_checkpoint: str | None = field(default=None, repr=False)
    training_mining: str | None = None
    prompt: str | None = field(default=None, repr=False)
    when: datetime | None = None

    def __post_init__(self) -> None:
        if self.watermarked and self.soft_binding is None:
            raise InputError(
                "manifest.unbound-mark", "a bound watermark needs its soft binding in the manifest"
            )
        if self.soft_binding and "." not in self.soft_binding.algorithm:
            raise InputError(
                "manifest.bad-value", "a soft-binding algorithm is a listed or a reverse-DNS name"
            )
        if len(self.ingredients) > MOST:
            raise InputError("manifest.bad-value", f"a manifest names at most {MOST} ingredients")
        for value in (self.recipe_commitment, self.content_id, self.weights_sha256):
            if value is not None and not _HEX.fullmatch(value):
                raise InputError(
                    "manifest.bad-value", "content ids, digests and commitments are lower-case hex"
                )
        if self.oversight is not None and self.oversight not in _OVERSIGHT:
            raise InputError("manifest.bad-value", f"oversight is one of {', '.join(_OVERSIGHT)}")
        if self.training_mining is not None and self.training_mining not in _MINING:
            raise InputError("manifest.bad-value", f"training_mining is one of {', '.join(_MINING)}")
        if self.log_checkpoint is not None and not is_checkpoint(self.log_checkpoint):
            raise InputError("manifest.bad-value", "a log checkpoint is a signed note (C2SP signed-note)")
        if "/" in self.title or "\\" in self.title:
            raise InputError("manifest.bad-value", "a title names a file, not a path")


@dataclass(frozen=True, slots=True, kw_only=True)
class Parent:
    """An earlier asset with its bytes, taken in as an ingredient."""

    data: Bytes
    mime: str
    title: str
    label: str
    relationship: str = "parentOf"


def unreadable_parent() -> InputError:
    """The error for a source whose manifest is too damaged to become history."""
    return InputError(
        "sign.parent-unreadable",
        "the file carries a manifest that is too damaged to be taken into the new one's history",
        hint="guard verify FILE shows the damage; a copy without its manifest can be signed",
    )
