"""Do registry and log tell the same story?

Every released entry of the registry names the place of its ALLOW in the log. So a log that was lost,
replaced, cut or put back from an older copy shows on this machine, without an outside witness, unless
the registry went the same way. The other way round a registry can be behind the log: then some
released pictures are no longer found by their mark.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from guard.text import numbered
from provenance.errors import ConfigurationError, IntegrityError
from provenance.log.audit import LogProblem
from provenance.log.leaves import ALLOW, DecisionLeaf, WithdrawalLeaf, leaves, parse_leaf
from provenance.registry_database import on_server
from provenance.registry_layout import WITHDRAWN
from provenance.registry_withdrawn import read_withdrawals, unlisted, unlogged

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from guard.home import Home
    from provenance.errors import Error
    from provenance.log.audit import Earlier, LogReport
    from provenance.log.leaves import Leaf
    from provenance.log.store import Log
    from provenance.registry import Registry
    from provenance.registry_entry import Release

_ANEW = (
    "to start anew on purpose, move log/, keys/log.pem and registry.sqlite* away together, "
    "rename withdrawn.json to withdrawn-1.json and run guard init"
)
_ANEW_SERVED = (
    "where config.toml names another installation's database, name this one's; to start anew on purpose, "
    "move log/ and keys/log.pem away together, rename withdrawn.json to withdrawn-1.json, name an empty "
    "database and run guard init"
)


def restore_log(*, served: bool) -> str:
    """What helps where the log is damaged or lost, with the registry in its file or on a server."""
    return f"restore log/ and keys/log.pem from a copy; {_anew(served=served)}"


def _anew(*, served: bool) -> str:
    return _ANEW_SERVED if served else _ANEW


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Registry and log, held against each other release by release.

    Attributes:
        releases: how many the registry knows.
        unlogged: of these, how many the log does not hold in their place.
        unregistered: how many ALLOWs of the log are for manifests that the registry does not know.
        unlogged_withdrawals: how many that withdrawn.json lists are not in their place in the log.
        unlisted_withdrawals: how many manifests the log withdrew that withdrawn.json leaves out.
    """

    releases: int
    unlogged: int
    unregistered: int
    unlogged_withdrawals: int = 0
    unlisted_withdrawals: int = 0


def compare(registry: Registry, log: Log) -> Comparison:
    """Hold every release of the registry against the log, and every ALLOW of the log against the registry;
    and the list of withdrawals, which lies beside the log's folder, against the log in both directions.

    A release writes to the registry before and after it writes to the log. So the registry is read on
    both sides of the log, and a release that runs meanwhile is no difference.

    Raises:
        IntegrityError: one of the two is damaged in itself.
    """
    known = registry.releases()
    listed = read_withdrawals(log.folder.parent)
    allowed, withdrawn = {}, {}
    for index, leaf in leaves(log):
        if isinstance(leaf, WithdrawalLeaf):
            withdrawn[index] = leaf
        elif _allows(leaf):
            allowed[index] = leaf
    registered = {entry.manifest_sha256 for entry in registry.pending()}
    registered |= {release.manifest_sha256 for release in registry.releases()}
    return Comparison(
        releases=len(known),
        unlogged=sum(not _is_of(allowed.get(release.log_index), release) for release in known),
        unregistered=sum(leaf.manifest_sha256 not in registered for leaf in allowed.values()),
        unlogged_withdrawals=len(unlogged(listed, withdrawn)),
        unlisted_withdrawals=len(unlisted(listed, withdrawn)),
    )


def require_latest(registry: Registry, log: Log) -> None:
    """Before anything is added: the log has to hold the last release and the last withdrawal known here.

    Raises:
        IntegrityError: ``log.behind-registry``, ``registry.withdrawals-damaged``.
    """
    latest, size = registry.latest_release(), log.checkpoint().size
    if latest is not None:
        in_log = 0 <= latest.log_index < size
        if not in_log or not _is_of(parse_leaf(log.entry(latest.log_index)), latest):
            raise _log_behind(log.folder, "the last release", registry.place)
    listed = read_withdrawals(log.folder.parent)
    last = max(listed.values(), key=lambda one: one.log_index, default=None)
    if last is None:
        return
    leaf = parse_leaf(log.entry(last.log_index)) if last.log_index < size else None
    found = {last.log_index: leaf} if isinstance(leaf, WithdrawalLeaf) else {}
    if unlogged({last.manifest_sha256: last}, found):
        raise _log_behind(log.folder, "the last withdrawal", registry.place)


def require_agreement(registry: Registry, log: Log) -> Comparison:
    """The same for all releases, in both directions; reads the whole log.

    Raises:
        IntegrityError: ``log.behind-registry``, ``registry.behind-log``, ``registry.withdrawals-…``.
    """
    found = compare(registry, log)
    for problem in _contradictions(found, log.folder, registry.place):
        raise problem
    if found.unregistered:
        raise _registry_behind(str(log.folder), found.unregistered, registry.place)
    return found


def _contradictions(found: Comparison, where: Path, registry: str) -> Iterator[IntegrityError]:
    """What the log lost, and what of its withdrawals is not listed."""
    if found.unlogged:
        which = f"{found.unlogged} of {numbered(found.releases, 'release')}"
        yield _log_behind(where, which, registry)
    if found.unlogged_withdrawals:
        yield _log_behind(where, numbered(found.unlogged_withdrawals, "withdrawal"), registry)
    if found.unlisted_withdrawals:
        yield IntegrityError(
            "registry.withdrawals-behind",
            f"withdrawn.json leaves out {numbered(found.unlisted_withdrawals, 'withdrawal')} of the log",
            where=str(where.parent / WITHDRAWN),
            hint="restore it from a copy, or run guard registry withdraw again for these",
        )


def require_whole(home: Home) -> None:
    """Neither log, log key nor registry is missing where another of them shows that it was filled.

    ``guard init`` asks this before it makes what is missing.

    Raises:
        ConfigurationError: ``key.missing`` for a log without its key.
        IntegrityError: ``log.behind-registry``, ``registry.behind-log``.
    """
    if home.has_log() and not home.log_key_path.exists():
        what = "the log is there, but not the key that signs it"
        hint = f"restore it from a copy; {_anew(served=bool(home.config().registry.url))}"
        raise ConfigurationError("key.missing", what, where=str(home.log_key_path), hint=hint)
    if home.has_registry() and not home.has_log():
        with home.registry_as_found() as registry:
            releases, place = len(registry.releases()), registry.place
        if releases:
            which = f"{releases} of {numbered(releases, 'release')}"
            raise _log_behind(home.log_folder, which, place)
    if home.has_log() and not home.has_registry():
        allowed = sum(_allows(leaf) for _, leaf in leaves(home.log_as_found()))
        if allowed:
            place = home.config().registry.url or str(home.registry_path)
            raise _registry_behind(place, allowed, place)


def require_begun(registry: Registry, log: Log) -> None:
    """A registry without any release beside a log that allowed some raises ``registry.behind-log``."""
    if registry.latest_release() is None and not registry.pending():
        allowed = sum(_allows(leaf) for _, leaf in leaves(log))
        if allowed:
            raise _registry_behind(registry.place, allowed, registry.place)


def require_locator(home: Home) -> None:
    """Every key that finds marks of earlier releases is here: without one of them some are not found.

    Keys of earlier epochs count (``guard keys renew --locator``).

    Raises:
        IntegrityError: ``key.not-of-registry``, ``registry.damaged``, ``key.damaged``.
        ConfigurationError: the registry or a key cannot be read.
    """
    if not home.has_registry():
        return
    with home.registry_as_found() as registry:
        used, place = registry.marking_keys(), registry.place
    here = home.locators() if used and home.locator_path.exists() else ()
    lost = used - {(key.key_id, key.epoch) for key in here}
    if not lost:
        return
    (key_id, epoch), *more = sorted(lost, key=lambda one: -one[1])
    others = f" and {len(more)} more" if more else ""
    hint = "restore it from a backup, or move the home away and run guard init to start anew"
    if on_server(place):
        hint = f"restore it from a backup; {_ANEW_SERVED}"
    raise IntegrityError(
        "key.not-of-registry",
        f"the registry's releases are marked under key {key_id} (epoch {epoch}){others}, which is not here",
        where=str(home.locator_path if epoch == max(e for _, e in used) else _earlier(home)),
        hint=hint,
    )


def _earlier(home: Home) -> Path:
    from provenance.key_ring import earlier_folder  # noqa: PLC0415

    return earlier_folder(home.locator_path)


def audited(home: Home, known: Sequence[Earlier] = ()) -> LogReport:
    """The full check of the log, of its agreement with the registry, and with what others hold of it.

    Args:
        home: whose log it is.
        known: checkpoints that somebody kept; those that witnesses signed are held against it anyway.

    Raises:
        As ``provenance.log.store.Log.verify``, and ``require_whole`` for a log that is lost.
    """
    if not home.has_log():
        require_whole(home)
    from guard.log_view import LogView  # noqa: PLC0415 - trust lists

    log = home.log_as_found()
    report = LogView.own(home).audited(known)
    if not report.ok:
        return replace(report, not_checked=("agreement with the registry: the log is damaged in itself",))
    try:
        with home.registry_as_found() as registry:
            found, place = compare(registry, log), registry.place
    except (ConfigurationError, IntegrityError) as error:
        if error.code == "registry.withdrawals-damaged":
            return replace(report, problems=(_problem(error),))
        why = f"agreement with the registry: {error.what} ({error.hint or error.code})"
        return replace(report, not_checked=(why,))
    problems = tuple(_problem(one) for one in _contradictions(found, log.folder, place))
    return replace(report, problems=problems) if problems else report


def _problem(error: Error) -> LogProblem:
    return LogProblem(code=error.code, what=f"{error.what}; {error.hint}")


def _allows(leaf: Leaf) -> bool:
    return isinstance(leaf, DecisionLeaf) and leaf.action == ALLOW


def _is_of(leaf: Leaf | None, release: Release) -> bool:
    return (
        isinstance(leaf, DecisionLeaf)
        and leaf.action == ALLOW
        and leaf.manifest_sha256 == release.manifest_sha256
        and leaf.subject_sha256 == release.asset_sha256
    )


def _log_behind(where: Path, which: str, registry: str) -> IntegrityError:
    return IntegrityError(
        "log.behind-registry",
        f"the log does not hold {which} that the registry knows: it was lost, cut or replaced",
        where=str(where),
        hint=restore_log(served=on_server(registry)),
    )


def _registry_behind(where: str, count: int, registry: str) -> IntegrityError:
    lost = "its database" if on_server(registry) else "registry.sqlite"
    which = numbered(count, "release")
    return IntegrityError(
        "registry.behind-log",
        f"the log holds {which} that the registry does not know: it was lost or replaced",
        where=where,
        hint=f"restore {lost} from a copy; {_anew(served=on_server(registry))}",
    )
