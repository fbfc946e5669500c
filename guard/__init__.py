"""guard decides: prompt review, policy, the two flows (release and verify), the command line.

Only the names below are public until 1.0. They load on first use, so that ``import guard`` and
``guard --help`` stay free of heavy libraries.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from guard.errors import Denied as Denied
    from guard.home import Home as Home
    from guard.recover import recover as recover
    from guard.release import release as release
    from guard.verdict import State as State
    from guard.verdict import Verdict as Verdict
    from guard.verify import verify as verify

__version__ = "0.1.0"

_WHERE = {
    "Denied": "guard.errors",
    "Home": "guard.home",
    "State": "guard.verdict",
    "Verdict": "guard.verdict",
    "recover": "guard.recover",
    "release": "guard.release",
    "verify": "guard.verify",
}

__all__ = ["Denied", "Home", "State", "Verdict", "__version__", "recover", "release", "verify"]


def __getattr__(name: str) -> object:
    if name not in _WHERE:
        raise AttributeError(f"module 'guard' has no attribute {name!r}")
    return getattr(import_module(_WHERE[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
