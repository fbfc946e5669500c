"""Finding and loading packs: by name among those that come with mediaguard, or by path."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from guard.policy.rule import Effect, Origin, Pack, Rule, Stage
from guard.policy.source import PackError, Source
from provenance.errors import ConfigurationError, InputError, IntegrityError

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = [
    "BASE", "Origin", "Pack", "PackError", "Rule", "base_pack", "find_pack", "find_rule", "load_pack",
    "load_packs", "pack_names", "policies",
]  # fmt: skip

BASE = "base"
"""Name of the pack that is part of every decision."""

HARD_RULES = {
    "base.no-sexualised-minors": (Stage.PROMPT, Stage.PLAN, Stage.PIXELS, Stage.PUBLISH),
    "base.no-intimate-imagery": (Stage.PROMPT, Stage.PLAN, Stage.PIXELS, Stage.PUBLISH),
    "base.logged": (Stage.PUBLISH,),
    "base.mark-read-back": (Stage.PUBLISH,),
    "base.read-back": (Stage.PUBLISH,),
    "base.same-bytes": (Stage.PUBLISH,),
}
"""Without these, hard and denying at these stages, a file is not the base pack (house promises 1 and 6)."""


def policies() -> Path:
    """The folder of packs, terms and schema: inside an installed wheel, or at the top of a checkout."""
    installed = Path(__file__).parents[1] / "_policies"
    return installed if installed.is_dir() else Path(__file__).parents[2] / "policies"


def pack_names() -> tuple[str, ...]:
    """Names of the packs that come with mediaguard, sorted."""
    return tuple(sorted(path.stem for path in (policies() / "packs").glob("*.yaml")))


def find_pack(reference: str) -> Pack:
    """The pack called ``reference``, or in the file ``reference``.

    Anything with a path separator or a ``.yaml`` ending is a path; a file in the working directory
    never takes the place of a pack that comes with mediaguard.

    Raises:
        InputError: ``policy.unknown-pack``, or what ``load_pack`` raises.
    """
    if reference.endswith((".yaml", ".yml")) or "/" in reference or "\\" in reference:
        return load_pack(Path(reference))
    if reference not in pack_names():
        hint = f"one of {', '.join(pack_names())}, or the path of a .yaml file"
        raise InputError("policy.unknown-pack", f"no pack is called {reference!r}", hint=hint)
    return base_pack() if reference == BASE else load_pack(policies() / "packs" / f"{reference}.yaml")


def load_packs(references: str) -> tuple[Pack, ...]:
    """The packs of a comma-separated list of references, each as ``find_pack`` takes it."""
    return tuple(find_pack(reference.strip()) for reference in references.split(","))


def load_pack(path: Path) -> Pack:
    """The pack in the file ``path``.

    Raises:
        InputError: ``policy.unreadable``.
        PackError: the file is not a valid pack; says where.
    """
    # PyYAML takes longer to import than everything else here together.
    from guard.policy.reading import read_pack  # noqa: PLC0415
    from guard.policy.yaml12 import load  # noqa: PLC0415

    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        what = "the pack cannot be read" if isinstance(error, OSError) else "the pack is not UTF-8 text"
        raise InputError(
            "policy.unreadable", what, where=str(path), hint="--policy default, or a .yaml file"
        ) from error
    source = Source(name=path.name, text=text)
    return read_pack(load(source), where=str(path))


@cache
def base_pack() -> Pack:
    """The base pack of this installation.

    Raises:
        ConfigurationError: ``policy.no-base``.
        IntegrityError: ``policy.base-altered``: a hard rule is missing or no longer hard.
    """
    path = policies() / "packs" / f"{BASE}.yaml"
    if not path.is_file():
        raise ConfigurationError(
            "policy.no-base", "the base pack is not installed", where=str(path), hint="reinstall mediaguard"
        )
    pack = load_pack(path)
    for rule_id, stages in HARD_RULES.items():
        rule = pack.rule(rule_id)
        if (
            rule is None
            or not rule.hard
            or rule.on_fail is not Effect.DENY
            or not {*stages} <= {*rule.stages}
        ):
            raise IntegrityError(
                "policy.base-altered",
                f"the hard rule {rule_id} is missing from the base pack or was weakened",
                where=str(path),
                hint="reinstall mediaguard",
            )
    return pack


def find_rule(rule_id: str, packs: Iterable[Pack] | None = None) -> Rule | None:
    """The rule of that id among ``packs`` (default: those that come with mediaguard)."""
    for pack in packs if packs is not None else map(find_pack, pack_names()):
        rule = pack.rule(rule_id)
        if rule is not None:
            return rule
    return None
