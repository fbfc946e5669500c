"""The signer's decision as it comes back to the client, for which it decided.

Its seal is of the signer's process and stays there. The client seals what it received once more, for its
own stages and its writer; whoever can write to that connection is the signer, by the permissions of the
socket.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from guard.policy.decision import Action, Decision, PackRef, RuleResult, RuleStatus, Stage, Warned, seal_of
from guard.policy.fact import Fact, Status
from guard.policy.obligations import MarkDuty, Plan
from guard.policy.rule import Effect
from guard.signer.wire import malformed
from provenance.canonical import canonical_bytes

if TYPE_CHECKING:
    from collections.abc import Mapping


def received_decision(stored: object) -> Decision:
    """The decision whose ``to_json`` is ``stored``, sealed for this process.

    Raises:
        InputError: ``signer.message`` for anything that would not give back the same canonical bytes.
    """
    try:
        decision = _read(stored)  # type: ignore[arg-type]  # whatever it is, it is held against itself below
        same = decision.canonical() == canonical_bytes(stored)  # type: ignore[arg-type]
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise malformed(f"no decision: {str(error)[:200]}") from error
    if not same:
        raise malformed("a decision with fields that are not known here")
    object.__setattr__(decision, "seal", seal_of(decision))
    return decision


def _read(stored: Mapping[str, Any]) -> Decision:
    facts, owed = stored["facts"], stored["obligations"]
    return Decision(
        action=Action(stored["action"]),
        stage=Stage(stored["stage"]),
        subject=stored["subject"],
        now=datetime.fromisoformat(stored["now"]),
        packs=tuple(PackRef(**pack) for pack in stored["packs"]),
        rules=tuple(_result(rule) for rule in stored["rules"]),
        obligations=Plan(**{**owed, "watermark": MarkDuty(owed["watermark"])}),
        warnings=tuple(Warned(**warned) for warned in stored["warnings"]),
        fact_names=tuple(facts),
        fact_values=tuple(_fact(fact) for fact in facts.values()),
    )


def _result(stored: Mapping[str, Any]) -> RuleResult:
    effect = stored.get("effect")
    return RuleResult(
        rule=stored["id"],
        pack=stored["pack"],
        status=RuleStatus(stored["status"]),
        effect=None if effect is None else Effect(effect),
        message=stored.get("message", ""),
        facts=tuple(stored["facts"]),
        source=stored.get("source"),
    )


def _fact(stored: Mapping[str, Any]) -> Fact[Any]:
    value = stored.get("value")
    return Fact(
        value=tuple(value) if isinstance(value, list) else value,
        status=Status(stored["status"]),
        producer=stored.get("producer", ""),
        version=stored.get("version", ""),
        reason=stored.get("reason"),
    )
