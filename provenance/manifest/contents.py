"""What the active manifest says, taken from the signed bytes themselves."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

from provenance.manifest.cbor import StructureError, decode
from provenance.manifest.jumbf import ASSERTIONS, Superbox
from provenance.manifest.labels import (
    CHECKPOINT_LABEL,
    CHECKSUM,
    DIGEST_LABEL,
    MINING_LABEL,
    PROMPT_LABEL,
    RELEASE_LABEL,
    TRAINING_LABEL,
    is_checkpoint,
)
from provenance.manifest.reading import DigitalSourceType, IngredientReading, SoftBinding
from provenance.manifest.signals import signals

TEXT = 512
"""Characters kept of a hostile string; a name or title longer than that is not for reading."""
_MAX_LISTED = 256
_INHERITED = ("source_type", "signals", "model_name", "model_identifier", "weights_sha256")
_SHA256 = re.compile(r"[0-9a-f]{64}")


def assertions(store: bytes, manifest: Superbox) -> dict[str, Any]:
    """Label to value of every CBOR or JSON assertion; others are left out.

    Raises:
        StructureError: an assertion is not what its box says.
    """
    found: dict[str, Any] = {}
    for box in manifest.only(ASSERTIONS).boxes:
        if len(box.contents) != 1 or box.contents[0].kind not in (b"cbor", b"json"):
            continue
        content = box.contents[0]
        raw = store[content.start : content.end]
        if content.kind == b"cbor":
            found[box.label] = decode(raw)
            continue
        try:
            found[box.label] = json.loads(raw)
        except (ValueError, RecursionError) as error:
            raise StructureError(f"the assertion {box.label[:60]!r} is not JSON") from error
    return found


def statements(found: Mapping[str, Any]) -> dict[str, Any]:
    """Fields of a ``ManifestReading`` that come from assertions; wrong types read as nothing said."""
    actions = [action for data in _labelled(found, "c2pa.actions") for action in _actions(data)]
    release = as_map(found.get(RELEASE_LABEL))
    digest = found.get(DIGEST_LABEL)
    return {
        "actions": tuple(text(action.get("action")) for action in actions[:_MAX_LISTED]),
        "source_type": _source_type(actions),
        "signals": signals(actions[:_MAX_LISTED]),
        "claimed_time": next((when for when in map(_when, actions) if when), None),
        **_model(found),
        "training_mining": _mining(found),
        "training_records": tuple(_records(found[TRAINING_LABEL])) if TRAINING_LABEL in found else (),
        "prompt": text(as_map(found.get(PROMPT_LABEL)).get("prompt")) or None,
        "soft_bindings": tuple(_soft_bindings(found))[:_MAX_LISTED],
        "digest_assertion": MappingProxyType(digest)
        if isinstance(digest, dict) and all(isinstance(key, str) for key in digest)
        else None,
        "recipe_commitment": text(release.get("recipeCommitment")) or None,
        "log_checkpoint": _checkpoint(as_map(found.get(CHECKPOINT_LABEL)).get("note")),
        "content_id": text(release.get("contentId")) or None,
    }


def inherited(
    store: bytes, manifests: Mapping[str, Superbox], history: Sequence[IngredientReading]
) -> dict[str, Any]:
    """Source type and model of the nearest ancestor that names one: opening a file keeps its origin."""
    for found in ancestors(store, manifests, history):
        said = statements(found)
        if said["source_type"] is not None:
            return {key: said[key] for key in _INHERITED}
    return {}


def ancestors(
    store: bytes, manifests: Mapping[str, Superbox], history: Sequence[IngredientReading]
) -> Iterator[dict[str, Any]]:
    """Assertions of the manifest that was opened, of the one opened for that, and so on."""
    nodes = history
    for _ in range(_MAX_LISTED):
        parents = [node for node in nodes if node.relationship == "parentOf" and node.label in manifests]
        if len(parents) != 1:
            return
        try:
            yield assertions(store, manifests[str(parents[0].label)])
        except StructureError:  # a finding about the history, which names it; it says nothing here
            return
        nodes = parents[0].children


def text(value: object) -> str:
    """A string of bounded length; anything else is no text."""
    return value[:TEXT] if isinstance(value, str) else ""


def _model(found: Mapping[str, Any]) -> dict[str, str | None]:
    """Name and identity of the model (§18.28); the digest is the qualifier that ours end in."""
    disclosed = [as_map(data) for data in _labelled(found, "c2pa.ai-disclosure")]
    identifier, _, digest = (_first_text(disclosed, "modelIdentifier") or "").partition(CHECKSUM)
    return {
        "model_name": _first_text(disclosed, "modelName"),
        "model_identifier": identifier or None,
        "weights_sha256": digest if _SHA256.fullmatch(digest) else None,
    }


def _mining(found: Mapping[str, Any]) -> Mapping[str, str] | None:
    """Use to choice, of the assertion of CAWG or of the one before it in C2PA (§18.21 until 2.1)."""
    for label in (MINING_LABEL, "c2pa.training-mining"):
        if label not in found:
            continue
        entries = as_map(as_map(found.get(label)).get("entries"))
        pairs = (
            (text(use), text(as_map(entry).get("use"))) for use, entry in list(entries.items())[:_MAX_LISTED]
        )
        if said := {use: choice for use, choice in pairs if use and choice}:
            return MappingProxyType(said)
    return None


def _records(data: object) -> Iterator[str]:
    for record in as_list(as_map(data).get("records"))[:_MAX_LISTED]:
        digest = as_map(record).get("hash")
        if isinstance(digest, str) and _SHA256.fullmatch(digest):
            yield digest


def _checkpoint(note: object) -> str | None:
    """A signed note as it was embedded; its signatures are for whoever knows the log's key."""
    return note if isinstance(note, str) and is_checkpoint(note) else None


def _source_type(actions: list[Mapping[str, Any]]) -> DigitalSourceType | None:
    """Source type of the creation, else of the last edit that names one."""
    for action in actions:
        if action.get("action") == "c2pa.created":
            return DigitalSourceType.known(action.get("digitalSourceType"))
    for action in reversed(actions):
        if known := DigitalSourceType.known(action.get("digitalSourceType")):
            return known
    return None


def _soft_bindings(found: Mapping[str, Any]) -> Iterator[SoftBinding]:
    for data in _labelled(found, "c2pa.soft-binding"):
        for block in as_list(as_map(data).get("blocks")):
            yield SoftBinding(algorithm=text(as_map(data).get("alg")), value=text(as_map(block).get("value")))


def _when(action: Mapping[str, Any]) -> datetime | None:
    value = action.get("when")
    # CBOR tag 0 marks a date-time string (RFC 8949 §3.4.1).
    raw = getattr(value, "value", value)
    if not isinstance(raw, str) or len(raw) > 40:
        return None
    try:
        moment = datetime.fromisoformat(raw)
        return moment.astimezone(UTC) if moment.tzinfo else None
    except (ValueError, OverflowError):
        return None


def _first_text(said: Sequence[Mapping[str, Any]], key: str) -> str | None:
    return next(filter(None, (text(data.get(key)) for data in said)), None)


def _labelled(found: Mapping[str, Any], base: str) -> list[Any]:
    """The assertions of this label, its versions and instances."""
    return [data for label, data in found.items() if label.startswith(base) and is_label(label, base)]


def is_label(label: str, base: str) -> bool:
    """Whether a label is this one, a later version or a further instance (§6.4: ``.v2``, ``__1``)."""
    return label.startswith(base) and (label == base or label.startswith((".v", "__"), len(base)))


def _actions(data: object) -> list[Mapping[str, Any]]:
    return [action for action in as_list(as_map(data).get("actions")) if isinstance(action, Mapping)]


def as_map(value: object) -> Mapping[str, Any]:
    """``value`` if it is a map, else an empty one."""
    return value if isinstance(value, dict) else {}


def as_list(value: object) -> list[Any]:
    """``value`` if it is a list, else an empty one."""
    return value if isinstance(value, list) else []
