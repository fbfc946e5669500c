"""Prompt review: normalise, look up, report in classes; the policy decides on the facts.

from guard.prompt import review, risk_facts
facts = Facts(risk=risk_facts(review(prompt)))
"""

from __future__ import annotations

from guard.prompt.lexicon import Lexicon, load_lexicon, shipped_lexicon
from guard.prompt.normalise import Normalised, normalise
from guard.prompt.review import PromptEdit, PromptFlag, PromptReview, review
from guard.prompt.safety import prompt_facts, risk_facts

__all__ = [
    "Lexicon", "Normalised", "PromptEdit", "PromptFlag", "PromptReview", "load_lexicon",
    "normalise", "prompt_facts", "review", "risk_facts", "shipped_lexicon",
]  # fmt: skip
