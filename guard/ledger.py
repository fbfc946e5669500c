"""What a release writes down: registry entry, manifest leaf, decision leaf.

Leaves hold digests of released bytes and keyed commitments to everything else: a decision rests on
facts about the prompt, and denied bytes must not be found by their digest. No names, prompts or
paths (house promise 2).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from provenance.canonical import commitment
from provenance.log.leaves import DecisionLeaf, ManifestLeaf
from provenance.registry_entry import UNMARKED, RegistryEntry

if TYPE_CHECKING:
    from guard.policy.decision import Decision
    from guard.submission import Sealed
    from guard.tools import Tools


def remember(sealed: Sealed, tools: Tools) -> None:
    """Store the manifest as pending: under its content id where it names a mark that leads to it."""
    key = tools.marker.key
    tools.registry.record(
        RegistryEntry(
            algorithm=tools.marker.algorithm if sealed.reading.soft_bindings else UNMARKED,
            key_id=key.key_id,
            epoch=key.epoch,
            content_id=sealed.work.content_id,
            manifest=sealed.manifest,
            manifest_sha256=sealed.manifest_sha256,
            asset_sha256=sealed.asset.sha256,
            mime=sealed.asset.mime,
            created_at=int(tools.clock().timestamp()),
        )
    )


def log_manifest(sealed: Sealed, tools: Tools) -> int:
    """Append the manifest's leaf; its index."""
    leaf = ManifestLeaf(
        manifest_sha256=sealed.manifest_sha256,
        content_commitment=commitment(
            sealed.work.commitment_key, {"content_id": sealed.work.content_id.hex()}
        ),
        time=int(tools.clock().timestamp()),
    )
    return tools.log.append([leaf.to_bytes()]).indexes[0]


def log_decision(decision: Decision, sealed: Sealed, tools: Tools) -> int:
    """Append the decision's leaf under a new checkpoint; its index."""
    subject, key = sealed.asset.sha256, sealed.work.commitment_key
    leaf = DecisionLeaf(
        action=decision.action.value,
        decision_commitment=commitment(key, decision.to_json()),
        subject_sha256=subject if decision.allowed else commitment(key, {"denied": subject}),
        manifest_sha256=sealed.manifest_sha256,
        time=int(tools.clock().timestamp()),
    )
    return tools.log.append([leaf.to_bytes()]).indexes[0]
