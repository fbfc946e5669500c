"""Risk facts: what the words, and where an inspector looked the pixels, say about three risks.

The gravest level of the channels that looked counts, so a harmless prompt does not excuse what the
pixels show, and words and pixels together can make up what neither says alone. A channel that did
not look lowers nothing: it is named in ``risk.prompt_checked`` and ``risk.pixels_checked``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from guard.policy.fact import Fact, Level, failed, known, unknown
from guard.policy.facts import Prompt, Risk
from guard.prompt.lexicon import RISKS
from provenance.evidence import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from guard.prompt.review import PromptReview
    from provenance.evidence import Evidence

_ORDER = tuple(Level)
_PRODUCER = "guard.prompt"
_LEVELS = {
    Outcome.SUPPORTS: Level.PRESENT,
    Outcome.INCONCLUSIVE: Level.POSSIBLE,
    Outcome.CONTRADICTS: Level.ABSENT,
    Outcome.ABSENT: Level.ABSENT,
}


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


def risk_facts(review: PromptReview | None, inspected: Iterable[Evidence] = ()) -> Risk:
    """The group ``risk``.

    Args:
        review: of the prompt; None where there was none, as for media made elsewhere.
        inspected: what inspectors of the pixels found. ``claim`` names one of the risks (``"sexual"``,
            ``"minor"``, ``"identifiable_person"``); evidence to other claims is passed over. An
            inspector that failed has looked, without an answer; one that did not run has not.
    """
    looked = [item for item in inspected if item.claim in RISKS and item.outcome is not Outcome.NOT_CHECKED]
    channels = [_from_words(review)] if review else []
    channels += [_from_pixels(looked)] if looked else []
    return Risk(
        sexual=_gravest([channel["sexual"] for channel in channels]),
        minor=_gravest([channel["minor"] for channel in channels]),
        identifiable_person=_gravest([channel["identifiable_person"] for channel in channels]),
        prompt_checked=known(review is not None, producer=_PRODUCER),
        pixels_checked=known(bool(looked), producer=_PRODUCER),
    )


def _from_words(review: PromptReview) -> Mapping[str, Fact[Level]]:
    version = review.lexicon[:12]
    levels = dict.fromkeys(RISKS, Level.ABSENT)
    for flag in review.flags:
        if flag.risk:
            levels[flag.risk] = max(levels[flag.risk], flag.level, key=_ORDER.index)
    return {risk: known(level, producer=_PRODUCER, version=version) for risk, level in levels.items()}


def _from_pixels(looked: list[Evidence]) -> Mapping[str, Fact[Level]]:
    """The pixels' channel. Once anybody looked, a risk that nobody looked for is open, not absent."""
    found: dict[str, list[Fact[Level]]] = {risk: [] for risk in RISKS}
    for item in looked:
        if item.outcome is Outcome.FAILED:
            found[item.claim].append(failed("an inspector failed", producer=item.channel))
        else:
            found[item.claim].append(known(_LEVELS[item.outcome], producer=item.channel))
    return {risk: _gravest(facts, "no inspector looked for this") for risk, facts in found.items()}


def _gravest(
    answers: list[Fact[Level]], otherwise: str = "neither words nor pixels were looked at"
) -> Fact[Level]:
    """The gravest answer. One that is open leaves all open, unless another says PRESENT."""
    for level in (Level.PRESENT, None):
        for answer in answers:
            if answer.value is level:
                return answer
    return max(answers, key=_rank) if answers else unknown(otherwise)


def _rank(answer: Fact[Level]) -> int:
    return _ORDER.index(answer.value) if answer.value is not None else -1
