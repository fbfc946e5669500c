"""Policy: typed facts in, a sealed decision out.

    from guard.policy import decide, find_pack, Facts, Stage
    decision = decide([find_pack("default")], Stage.PUBLISH, facts, now=now, subject=sha256)

Packs are reviewed data (``policies/packs``); docs/reference/policy-language.md has their language.
"""

from __future__ import annotations

from guard.policy.decide import decide
from guard.policy.decision import Action, Decision, RuleResult, RuleStatus, Stage, authorise, is_sealed
from guard.policy.facts import Facts, failed, known, unknown
from guard.policy.obligations import MarkDuty, Plan
from guard.policy.pack import Pack, find_pack, find_rule, load_pack, load_packs, pack_names

__all__ = [
    "Action", "Decision", "Facts", "MarkDuty", "Pack", "Plan", "RuleResult", "RuleStatus", "Stage",
    "authorise", "decide", "failed", "find_pack", "find_rule", "is_sealed", "known", "load_pack",
    "load_packs", "pack_names", "unknown",
]  # fmt: skip
