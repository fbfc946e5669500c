"""Which files make a GAN: one safetensors file, beside it a card that says what it is and whose.

generator.safetensors     StyleGAN2 ``G_ema`` tensors, or those of a DCGAN
card.json                 kind, name, licences, what the condition means; optional for a StyleGAN2
directions.safetensors    directions in w (``generators.directions_adapter``); optional
words.json                what users call what it draws (``generators.vocabulary``); optional
"""

from __future__ import annotations

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from generators.adapter_files import RECORD
from generators.card_files import LONGEST, is_name, is_text, is_within, read_object
from generators.finishes import FINISHES, PLAIN
from generators.weights import PICKLES, Weights, check_inside, digested, pickle_only, settings_in
from provenance.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

KIND, KIND_DCGAN = "stylegan2", "dcgan"
KINDS: Mapping[str, str] = MappingProxyType({KIND: "StyleGAN2Generator", KIND_DCGAN: "DCGANGenerator"})
"""Values of a card's ``kind``, and what the recipe calls the network."""
WEIGHTS, DIRECTIONS = "generator.safetensors", "directions.safetensors"
CARD, WORDS = "card.json", "words.json"
MOST_TRUNCATION = 2.0
"""Of ψ, in a card as in a request."""
_MOST_CARD = 2**20
"""Bytes; the longest card lists some hundred attributes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """What is said of a model beside its weights.

    Attributes:
        kind: one of ``KINDS``.
        name: for people.
        licence: of the weights.
        data_licence: of what it was trained on.
        size: pixels of released pictures; None: the network's own.
        truncation: ψ where the request says nothing.
        finish: how pictures are enlarged, a name in ``generators.finishes``.
        conditions: what the numbers of its condition mean; None: not said.
        weights: path and digest, of bundled models.
    """

    kind: str = KIND
    name: str = "StyleGAN2"
    licence: str = "unknown"
    data_licence: str = "unknown"
    size: int | None = None
    truncation: float = 1.0
    finish: str = PLAIN
    conditions: Any = None
    weights: Mapping[str, str] = field(default_factory=dict)


def kind_of(path: Path) -> str | None:
    """The kind of GAN that lies here; None if it is none, to be looked at as a diffusers folder.

    Raises:
        InputError: ``gan.card``, ``weights.link-outside``.
    """
    if path.is_file() and (path.suffix == ".safetensors" or path.suffix in PICKLES):
        return KIND
    if (path / "model_index.json").exists():
        return None
    card = path / CARD
    if card.is_file():
        kind = _json(card).get("kind")
        return kind if isinstance(kind, str) and kind in KINDS else None
    return KIND if (path / WEIGHTS).is_file() else None


def read_card(path: Path) -> Card:
    """The card of a folder; that of nothing in particular where there is none.

    Raises:
        InputError: ``gan.card``, ``weights.link-outside``.
    """
    if path.is_file() or not (path / CARD).is_file():
        return Card(name=path.stem or "StyleGAN2")
    data = _json(path / CARD)
    card = Card(**{name: data[name] for name in Card.__slots__ if name in data})
    texts = (card.kind, card.licence, card.data_licence, card.finish, data.get("summary", ""))
    fits = (
        all(is_text(text, most=LONGEST) for text in texts)
        and is_name(card.name)
        and card.kind in KINDS
        and card.finish in FINISHES
        and (card.size is None or is_within(card.size, 8, 8192, kind=int))
        and is_within(card.truncation, 0, MOST_TRUNCATION)
        and isinstance(card.weights, dict)
    )
    if not fits:
        raise _bad_card(path / CARD)
    return card


def examine(path: Path) -> Weights:
    """The generator of a folder, then its directions if it has any; or ``path`` itself alone.

    Raises:
        InputError: pickles only, no weights, a link leading out, no safetensors header.
    """
    folder, file = (path.parent, path) if path.is_file() else (path, path / WEIGHTS)
    if file.suffix in PICKLES or (not file.is_file() and any(p.suffix in PICKLES for p in folder.glob("*"))):
        raise pickle_only(path)
    if not file.is_file():
        raise InputError("weights.no-model", f"there is no {WEIGHTS} here", where=str(path))
    names = () if path.is_file() else (WEIGHTS, DIRECTIONS, CARD, WORDS, RECORD)
    here = [folder / name for name in names if (folder / name).is_file()]
    for found in here:
        check_inside(found, folder)
    beside = (path / DIRECTIONS,) if path / DIRECTIONS in here else ()
    files = tuple(digested(found, folder) for found in (file, *beside))
    said = (found for found in (path / CARD, path / WORDS) if found in here)
    kind = KINDS[read_card(path).kind]
    return Weights(folder=folder, pipeline=kind, files=files, settings=settings_in(said, folder))


def _json(path: Path) -> dict[str, Any]:
    try:
        return read_object(path, most=_MOST_CARD)
    except ValueError as error:
        raise _bad_card(path) from error


def _bad_card(path: Path) -> InputError:
    what = "the card of the model is not JSON of the right fields, or a value is out of its range"
    return InputError("gan.card", what, where=str(path))
