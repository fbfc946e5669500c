"""Names that our assertions stand under and the shapes of texts in them: all that reading needs."""

from __future__ import annotations

DIGEST_LABEL = "org.mediaguard.content-digest"
RELEASE_LABEL = "org.mediaguard.release"
PROMPT_LABEL = "org.mediaguard.prompt"
CHECKPOINT_LABEL = "org.mediaguard.log-checkpoint"
TRAINING_LABEL = "org.mediaguard.training"
MINING_LABEL = "cawg.training-mining"
"""Entity-specific names as §6.2.2 asks for; none of ours is on a C2PA list."""

CHECKSUM = "?checksum=sha256:"
"""Qualifier of package URLs (purl specification) before the digest of what is named."""

MAX_NOTE = 16_384
"""Characters of a signed note: as long as one that ``provenance.log.checkpoint`` opens."""


def is_checkpoint(note: str) -> bool:
    """Whether ``note`` has the shape of a signed note with a checkpoint; says nothing of its signatures."""
    text, found, signatures = note.partition("\n\n")
    whole = found and len(note) <= MAX_NOTE and note.endswith("\n") and signatures.startswith("\u2014 ")
    return bool(whole and text.count("\n") >= 2 and note.replace("\n", "").isprintable())
