"""Risk facts: what the words, and where an inspector looked the pixels, say about three risks.

The gravest level of the channels that looked counts, so a harmless prompt does not excuse what the
pixels show, and words and pixels together can make up what neither says alone. A channel that did
not look lowers nothing: it is named in ``risk.prompt_checked`` and ``risk.pixels_checked``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from guard.policy.fact import Fact, Level, Status, known, unknown
from guard.policy.facts import Prompt, Risk
from guard.prompt.lexicon import RISKS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from guard.prompt.review import PromptReview

_ORDER = tuple(Level)
_PRODUCER = "guard.prompt"


@dataclass(frozen=True, slots=True, kw_only=True)
class PixelRisk:
    """What an inspector saw. A risk it does not look for is unknown, with the reason."""

    sexual: Fact[Level]
    minor: Fact[Level]
    identifiable_person: Fact[Level]


def prompt_facts(review: PromptReview | None) -> Prompt:
    """The group ``prompt``; all unknown where there was no prompt to review."""
    if review is None:
        return Prompt()
    version = review.lexicon[:12]
    return Prompt(
        reviewed=known(True, producer=_PRODUCER, version=version),  # noqa: FBT003 - the fact's value
        flags=known(tuple(flag.token for flag in review.flags), producer=_PRODUCER, version=version),
        edits=known(len(review.edits), producer=_PRODUCER, version=version),
    )


def risk_facts(review: PromptReview | None, pixels: PixelRisk | None = None) -> Risk:
    """The group ``risk``.

    Args:
        review: of the prompt; None where there was none, as for media made elsewhere.
        pixels: from an inspector; None where none is installed or asked for.
    """
    words = _from_words(review) if review else {}
    seen = {risk: getattr(pixels, risk) for risk in RISKS} if pixels else {}
    return Risk(
        sexual=_gravest(words, seen, "sexual"),
        minor=_gravest(words, seen, "minor"),
        identifiable_person=_gravest(words, seen, "identifiable_person"),
        prompt_checked=known(review is not None, producer=_PRODUCER),
        pixels_checked=known(pixels is not None, producer=_PRODUCER),
    )


def _from_words(review: PromptReview) -> Mapping[str, Fact[Level]]:
    version = review.lexicon[:12]
    levels = dict.fromkeys(RISKS, Level.ABSENT)
    for flag in review.flags:
        if flag.risk:
            levels[flag.risk] = max(levels[flag.risk], flag.level, key=_ORDER.index)
    return {risk: known(level, producer=_PRODUCER, version=version) for risk, level in levels.items()}


def _gravest(words: Mapping[str, Fact[Level]], seen: Mapping[str, Fact[Level]], risk: str) -> Fact[Level]:
    channels = [channel[risk] for channel in (words, seen) if channel]
    if not channels:
        return unknown("neither words nor pixels were looked at")
    present = [fact for fact in channels if fact.value is Level.PRESENT]
    if present:
        return present[0]
    # A channel that was to look and could not leaves the whole risk open, unless the other says "present".
    open_ends = [fact for fact in channels if fact.status is not Status.OK]
    if open_ends:
        return open_ends[0]
    return max(channels, key=lambda fact: _ORDER.index(fact.value) if fact.value else 0)
