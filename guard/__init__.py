"""guard decides: prompt review, policy, the two flows (release and verify), the command line.

Only the names below are public until 1.0. They load on first use, so that ``import guard`` and
``guard --help`` stay free of heavy libraries.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from guard.api import recover_file as recover_file
    from guard.api import release_file as release_file
    from guard.api import verify_file as verify_file
    from guard.errors import Denied as Denied
    from guard.home import Home as Home
    from guard.verdict import Requirement as Requirement
    from guard.verdict import State as State
    from guard.verdict import Verdict as Verdict
    from guard.wrapping import wrap as wrap

__version__ = "0.1.0"

_WHERE = {
    "Denied": "guard.errors",
    "Home": "guard.home",
    "Requirement": "guard.verdict",
    "State": "guard.verdict",
    "Verdict": "guard.verdict",
    "recover_file": "guard.api",
    "release_file": "guard.api",
    "verify_file": "guard.api",
    "wrap": "guard.wrapping",
}

__all__ = [
    "Denied",
    "Home",
    "Requirement",
    "State",
    "Verdict",
    "__version__",
    "recover_file",
    "release_file",
    "verify_file",
    "wrap",
]


def __getattr__(name: str) -> object:
    if name not in _WHERE:
        raise AttributeError(f"module 'guard' has no attribute {name!r}")
    return getattr(import_module(_WHERE[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
