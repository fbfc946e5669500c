"""``Denied``: the fourth branch of the tree drawn in ``provenance.errors``. Policy said no."""

from __future__ import annotations

from typing import TYPE_CHECKING

from provenance.errors import Error

if TYPE_CHECKING:
    from guard.policy.decision import Decision


class Refused(Error):  # noqa: N818 - beside Denied
    """Policy said no before, and that is not asked again."""

    exit_code = 1
    """As for ``Denied``."""


class Denied(Error):  # noqa: N818 - the house's name for it
    """A decision other than ALLOW, raised where something would otherwise go on.

    Attributes:
        decision: the decision itself: every rule, its status and the facts it read.
        code: ``"policy.denied"``, or ``"policy.review"`` when a person has to look first.
    """

    exit_code = 1
    """1 means "requirement not met": policy REVIEW and DENY alike."""

    def __init__(self, decision: Decision, *, unmarked: str | None = None) -> None:
        """``unmarked``: why there is no mark, told where the rule reads facts about the mark."""
        reasons = decision.reasons
        what = reasons[0].message if reasons else f"no rule allows this at stage {decision.stage}"
        if unmarked and reasons and any(fact.startswith("marks.watermark.") for fact in reasons[0].facts):
            what += f" ({unmarked})"
        if len(reasons) > 1:
            what += f" (and {len(reasons) - 1} more)"
        rule = reasons[0].rule if reasons else None
        super().__init__(
            f"policy.{'review' if decision.action == 'review' else 'denied'}",
            what,
            where=f"stage {decision.stage}" + (f", rule {rule}" if rule else ""),
            hint=f"guard explain {rule}"
            if rule
            else "name a pack that has rules for this stage: --policy PACK",
        )
        self.decision = decision
