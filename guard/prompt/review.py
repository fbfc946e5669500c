"""Prompt review: what the words ask for, said in classes; and edits, none by default.

Steps:
    1. refuse what is no prompt: control characters, more than ``MAX_LENGTH`` characters
    2. normalise prompt and negative prompt into views
    3. look terms, ages and names up
    4. return what was found; whether it may go on is for the policy to say

A flag names a rule and a class, never the words: flags travel into decisions and logs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from guard.policy.fact import Level
from guard.prompt.ages import may_name_person, states_minor_age
from guard.prompt.lexicon import shipped_lexicon
from guard.prompt.normalise import normalise
from provenance.errors import InputError

if TYPE_CHECKING:
    from guard.prompt.lexicon import Lexicon
    from guard.prompt.normalise import Normalised

MAX_LENGTH = 4_000
"""Characters; text encoders cut off at a few hundred tokens, so more would not be drawn, only hidden."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptEdit:
    """A recorded change of the prompt.

    Attributes:
        start, end: characters of the original that were replaced.
        before, after: the texts; they stay in the private record.
        rule, reason: why.
    """

    start: int
    end: int
    before: str
    after: str
    rule: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class PromptFlag:
    """Something the words say.

    Attributes:
        rule: what found it: ``prompt``, ``negative``, ``age``, ``name`` or ``text``.
        term_class: class of the term or trick, e.g. ``minor.stated`` or ``bidi``; never the term.
        risk: the risk it indicates: ``sexual``, ``minor``, ``identifiable_person``, or empty.
        level: how far it indicates it.
    """

    rule: str
    term_class: str
    risk: str = ""
    level: Level = Level.ABSENT

    @property
    def token(self) -> str:
        """``rule:class``, as it stands in the fact ``prompt.flags``."""
        return f"{self.rule}:{self.term_class}"


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptReview:
    """The review of one prompt.

    Attributes:
        original: as the user wrote it.
        prompt, negative_prompt: as they go to the model.
        edits: what was changed; none unless a pack asks for it.
        flags: what was found, sorted, without repeats.
        lexicon: SHA-256 of the term lists used.
    """

    original: str
    prompt: str
    negative_prompt: str
    edits: tuple[PromptEdit, ...] = ()
    flags: tuple[PromptFlag, ...] = ()
    lexicon: str = ""


def review(prompt: str, negative_prompt: str = "", *, lexicon: Lexicon | None = None) -> PromptReview:
    """What ``prompt`` and ``negative_prompt`` ask for.

    Args:
        prompt: as the user wrote it.
        negative_prompt: what the model is to avoid; there a word counts for its absence.
        lexicon: term lists; the shipped ones if None.

    Raises:
        InputError: ``prompt.control-characters``, ``prompt.too-long``.
    """
    terms = lexicon or shipped_lexicon()
    wanted, avoided = _views("prompt", prompt), _views("negative prompt", negative_prompt)
    flags = {*_terms(terms, wanted, negative=False), *_terms(terms, avoided, negative=True)}
    flags |= {PromptFlag(rule="text", term_class=trick) for trick in (*wanted.flags, *avoided.flags)}
    if states_minor_age(wanted):
        flags.add(PromptFlag(rule="age", term_class="minor.age", risk="minor", level=Level.PRESENT))
    if may_name_person(prompt):
        flags.add(
            PromptFlag(
                rule="name", term_class="person.named", risk="identifiable_person", level=Level.POSSIBLE
            )
        )
    return PromptReview(
        original=prompt,
        prompt=prompt,
        negative_prompt=negative_prompt,
        flags=tuple(sorted(flags)),
        lexicon=terms.digest,
    )


def _views(name: str, text: str) -> Normalised:
    if len(text) > MAX_LENGTH:
        what = f"the {name} has {len(text)} characters; {MAX_LENGTH} are the limit"
        raise InputError("prompt.too-long", what, hint="shorten it")
    views = normalise(text)
    if "control" in views.flags:
        hint = "type it again, or paste it as plain text"
        raise InputError("prompt.control-characters", f"the {name} holds control characters", hint=hint)
    return views


def _terms(lexicon: Lexicon, views: Normalised, *, negative: bool) -> set[PromptFlag]:
    rule = "negative" if negative else "prompt"
    return {
        PromptFlag(rule=rule, term_class=kind.id, risk=kind.risk, level=kind.level)
        for kind in lexicon.classes(views)
        if kind.negative is negative
    }
