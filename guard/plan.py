"""The decisions before there are final bytes: may these words be used, and what will be owed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from guard.inspect import draft_facts
from guard.policy.decide import decide
from guard.policy.decision import Stage, authorise
from guard.policy.fact import TOKEN, Kind
from guard.stages import Origin
from provenance.manifest.reading import DigitalSourceType

if TYPE_CHECKING:
    from guard.policy.decision import Decision
    from guard.prompt.review import PromptReview
    from guard.tools import Tools


def unloaded(reference: str, reviewed: PromptReview) -> Origin:
    """What is known of media by a model that is not loaded yet.

    One in a folder is named in public by its weights, which nobody has read: its path stays private, and
    rules about its name come out as unknown. So they do for what cannot be a name: loading will refuse it.
    """
    nameless = reference.partition(":")[0] == "dir" or not TOKEN.fullmatch(reference)
    return Origin(
        source_type=DigitalSourceType.TRAINED_ALGORITHMIC_MEDIA,
        model_identifier=None if nameless else reference,
        review=reviewed,
    )


def ask(
    stage: Stage,
    origin: Origin,
    tools: Tools,
    *,
    command: str,
    include_prompt: bool = False,
    kind: Kind | None = Kind.IMAGE,
) -> Decision:
    """What the packs say at stage ``prompt`` (before a model is loaded) or ``plan`` (before it runs).

    The decision at ``plan`` carries the obligations of the release. ``kind`` is None before a model is loaded
    that may make pictures or clips.

    Raises:
        Denied: a pack refuses; nothing was made.
    """
    facts = draft_facts(origin, command=command, include_prompt=include_prompt, kind=kind)
    subject = tools.random(16).hex()  # no bytes yet, and no digest of words: a name for this request only
    decision = decide(tools.packs, stage, facts, now=tools.clock(), subject=subject)
    authorise(decision, stage=stage, subject=subject)
    return decision
