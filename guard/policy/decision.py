"""``Decision``: what the policy said about one subject at one stage, and why.

A decision is sealed with a key that lives and dies with this process, so that the release flow can
tell one that ``decide`` made from one made by hand or changed since. This prevents accidents; code
that runs in the same process and wants to get around it can.
"""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from functools import lru_cache
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

from guard.errors import Denied
from guard.policy.fact import Fact, Status
from guard.policy.obligations import Plan
from guard.policy.rule import Action, Effect, Stage
from provenance.canonical import canonical_bytes, digest
from provenance.errors import IntegrityError

if TYPE_CHECKING:
    from provenance.canonical import Json

__all__ = [
    "Action", "Decision", "PackRef", "RuleResult", "RuleStatus", "Stage", "Warned", "authorise", "is_sealed",
]  # fmt: skip

SCHEMA_VERSION = 1

_KEY = secrets.token_bytes(32)


class RuleStatus(StrEnum):
    """How one rule came out. Only PASS satisfies it."""

    PASS = "pass"  # noqa: S105 - not a password
    FAIL = "fail"
    UNKNOWN = "unknown"
    """A fact it needs is not known."""
    ERROR = "error"
    """A fact it needs could not be found out."""
    OVER_BUDGET = "over_budget"
    NOT_APPLICABLE = "not_applicable"
    NOT_IN_EFFECT = "not_in_effect"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RuleResult:
    """One rule's part in a decision.

    Attributes:
        rule, pack: ids; ``policy.no-rule`` is the one rule that no pack holds.
        status: how it came out.
        effect: what followed from it; None when nothing did.
        message: the rule's sentence for people, if something followed.
        facts: names of the facts the rule reads; their values are in ``Decision.facts``.
        source: the document the rule comes from.
    """

    rule: str
    pack: str
    status: RuleStatus
    effect: Effect | None
    message: str
    facts: tuple[str, ...]
    source: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Warned:
    """A rule that merely warns, and was not satisfied."""

    rule: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PackRef:
    """Exactly which pack was used."""

    name: str
    version: str
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What the policy said.

    Attributes:
        action: ALLOW, REVIEW or DENY.
        stage: where it was asked.
        subject: SHA-256 of the bytes at publish and verify; before there are bytes, the record's id
            or a keyed commitment, never an unkeyed digest of a prompt.
        now: the time given to ``decide``.
        packs: the base pack first.
        rules: every rule asked at this stage, in order of packs.
        obligations: what the file still has to get.
        warnings: rules that merely warn, with their sentences.
        fact_names, fact_values: every fact that a rule of this stage reads, sorted by name.
        seal: see the module.
    """

    action: Action
    stage: Stage
    subject: str
    now: datetime
    packs: tuple[PackRef, ...]
    rules: tuple[RuleResult, ...]
    obligations: Plan
    warnings: tuple[Warned, ...]
    fact_names: tuple[str, ...]
    fact_values: tuple[Fact[Any], ...]
    seal: bytes = b""

    @property
    def allowed(self) -> bool:
        """True for ALLOW."""
        return self.action is Action.ALLOW

    @property
    def facts(self) -> dict[str, Fact[Any]]:
        """The facts by name."""
        return dict(zip(self.fact_names, self.fact_values, strict=True))

    @property
    def reasons(self) -> tuple[RuleResult, ...]:
        """The results that made the action what it is; none for ALLOW."""
        return tuple(result for result in self.rules if result.effect == self.action.value)

    def to_json(self) -> dict[str, Json]:
        """The decision as it is logged and shown; the seal is of this process and stays here."""
        head: dict[str, Json] = {
            "schema_version": SCHEMA_VERSION,
            "action": self.action.value,
            "stage": self.stage.value,
            "subject": self.subject,
            "now": self.now.astimezone(UTC).isoformat().replace("+00:00", "Z"),
        }
        facts: dict[str, Json] = {name: _fact_json(fact) for name, fact in self.facts.items()}
        return {
            **head,
            **_policy_json(self.packs, self.rules, self.obligations, self.warnings),
            "facts": facts,
        }

    def canonical(self) -> bytes:
        """Canonical JSON: equal inputs give equal bytes (house promise 12)."""
        return canonical_bytes(self.to_json())

    @property
    def digest(self) -> str:
        """SHA-256 of ``canonical()``, lower-case hex."""
        return digest(self.to_json())


def _fact_json(fact: Fact[Any]) -> dict[str, Json]:
    said: dict[str, Json] = {"status": fact.status.value}
    if fact.status is Status.OK:
        said["value"] = list(fact.value) if isinstance(fact.value, tuple) else fact.value
    else:
        said["reason"] = fact.reason
    return said | {key: text for key in ("producer", "version") if (text := getattr(fact, key))}


def _policy_json(
    packs: tuple[PackRef, ...], rules: tuple[RuleResult, ...], plan: Plan, warnings: tuple[Warned, ...]
) -> dict[str, Json]:
    return {
        "packs": [{"name": pack.name, "version": pack.version, "digest": pack.digest} for pack in packs],
        "rules": [_result_json(result) for result in rules],
        "obligations": {
            "watermark": plan.watermark.value,
            "c2pa": plan.c2pa,
            "xmp": plan.xmp,
            "log": plan.log,
            "min_side": plan.min_side,
        },
        "warnings": [{"rule": warned.rule, "message": warned.message} for warned in warnings],
    }


def _result_json(result: RuleResult) -> dict[str, Json]:
    said: dict[str, Json] = {
        "id": result.rule,
        "pack": result.pack,
        "status": result.status.value,
        "facts": list(result.facts),
    }
    if result.effect:
        said |= {"effect": result.effect.value, "message": result.message}
    return said | ({"source": result.source} if result.source else {})


# Rules and packs of two decisions are the same objects when they came out the same, and objects are
# compared here, so this is computed once for each way a decision can come out.
@lru_cache(maxsize=4096)
def _fingerprint(
    packs: tuple[PackRef, ...],
    rules: tuple[RuleResult, ...],
    warnings: tuple[Warned, ...],
    names: tuple[str, ...],
) -> str:
    return digest({**_policy_json(packs, rules, Plan(), warnings), "facts": names})


def seal_of(decision: Decision) -> bytes:
    """The seal that ``decision`` has if ``decide`` made it in this process. For ``decide`` only."""
    d, plan = decision, decision.obligations
    said = [
        d.action,
        d.stage,
        d.subject,
        repr(d.now.timestamp()),
        _fingerprint(d.packs, d.rules, d.warnings, d.fact_names),
        plan.watermark,
        str((plan.c2pa, plan.xmp, plan.log, plan.min_side)),
        *[fact.stamp for fact in d.fact_values],
    ]
    # BLAKE2b with a key is a MAC (RFC 7693 §2.9), at half the cost of HMAC for a text of this size.
    return blake2b("\n".join(said).encode(), key=_KEY, digest_size=32).digest()


def is_sealed(decision: object) -> bool:
    """Whether ``decide`` made exactly this decision in this process."""
    return type(decision) is Decision and hmac.compare_digest(decision.seal, seal_of(decision))


def authorise(decision: Decision, *, stage: Stage, subject: str) -> None:
    """Return if ``decision`` is a genuine ALLOW for ``subject`` at ``stage``.

    Raises:
        IntegrityError: ``policy.unsealed``, ``policy.other-subject``.
        Denied: it is genuine, and says DENY or REVIEW.
    """
    if not is_sealed(decision):
        raise IntegrityError(
            "policy.unsealed", "this decision was not made by the policy in this process", hint="decide again"
        )
    if decision.stage is not stage or not hmac.compare_digest(decision.subject.encode(), subject.encode()):
        raise IntegrityError(
            "policy.other-subject",
            "the decision is for other bytes or another stage",
            where=f"{decision.stage} {decision.subject[:12]}, wanted {stage} {subject[:12]}",
            hint="decide again for these bytes",
        )
    if not decision.allowed:
        raise Denied(decision)
