"""Are ``audits``, ``generators`` and ``provenance`` ours?

Those import names are generic. Another folder or distribution of the same name, earlier on
``sys.path``, would be imported instead and the failure would make no sense to anyone; so ``guard``
looks before it starts and names the path that is in the way.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from provenance.errors import ConfigurationError

SIBLINGS = ("audits", "generators", "provenance")


def check_siblings() -> None:
    """Make sure that each sibling package lies beside this one.

    Raises:
        ConfigurationError: ``install.shadowed`` with the path that shadows ours.
    """
    home = Path(__file__).resolve().parent.parent
    for name in SIBLINGS:
        spec = find_spec(name)
        found = Path(spec.origin).resolve().parent if spec and spec.origin else None
        if found != home / name:
            raise ConfigurationError(
                "install.shadowed",
                f"the package '{name}' that Python finds is not mediaguard's",
                where=str(found) if found else name,
                hint="run guard from another folder, or remove that path from PYTHONPATH",
            )
