"""What a manifest says of its making, in the words of the C2PA signals rubric (1.0, 2026-08).

The rubric gives people one vocabulary for it whichever program signed: how a work began, and what kind of
change was made to what can be seen or heard in it. These are statements of the signer, like all others.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from provenance.manifest.rubric_terms import INCEPTION, NOT_EDITORIAL

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_IPTC = "http://cv.iptc.org/newscodes/digitalsourcetype/"
_C2PA = "http://c2pa.org/digitalsourcetype/"

BEGINNINGS = {
    _C2PA + "empty": "Blank Canvas",
    _IPTC + "digitalCapture": "Captured Media",
    _IPTC + "computationalCapture": "Captured Media",
    _IPTC + "compositeCapture": "Stitched Captured Media",
    _IPTC + "composite": "Composition which may contain GenAI content",
    _IPTC + "trainedAlgorithmicMedia": "Fully GenAI Media",
    _IPTC + "digitalCreation": "Non-GenAI digital creation",
    _IPTC + "compositeWithTrainedAlgorithmicMedia": "Partly GenAI Creation",
    _IPTC + "screenCapture": "Screen Capture Which May Contain GenAI Content",
}
"""Signal for the source type of what was created; types that the rubric does not know have none."""
GENERATED = "Perceptible GenAI Transformations"
POSSIBLY = "Perceptible Transformations Possibly Using GenAI"
OTHERWISE = "Perceptible Non-GenAI Transformations"

_GENERATED = frozenset(
    {
        _IPTC + "trainedAlgorithmicMedia",
        _IPTC + "compositeWithTrainedAlgorithmicMedia",
        _IPTC + "compositeSynthetic",
        _C2PA + "trainedAlgorithmicData",
    }
)
_POSSIBLY = frozenset({_IPTC + "digitalArt", _IPTC + "composite"})


def signals(actions: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    """How it began, then what was changed, each once; nothing for what the rubric has no word for.

    An edit of which a model may have been part counts as that alone here; the rubric's own rules list it
    among the edits without one, too.
    """
    began = dict.fromkeys(_each(actions, _beginning))
    return (*began, *dict.fromkeys(_each(actions, _change)))


def _each(actions: Sequence[Mapping[str, Any]], told: Any) -> Iterator[str]:
    for action in actions:
        name, made = action.get("action"), action.get("digitalSourceType")
        if isinstance(name, str) and isinstance(made, str) and (word := told(name, _spelled(made))):
            yield word


def _beginning(name: str, made: str) -> str | None:
    return BEGINNINGS.get(made) if name in INCEPTION else None


def _change(name: str, made: str) -> str | None:
    if name in INCEPTION or name in NOT_EDITORIAL:
        return None
    if made in _GENERATED:
        return GENERATED
    return POSSIBLY if made in _POSSIBLY else OTHERWISE


def _spelled(made: str) -> str:
    """Some programs write https, which names the same term."""
    return made.replace("https://", "http://", 1)
