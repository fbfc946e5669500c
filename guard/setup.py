"""``guard init``: make what is missing, never touch what is there.

Keys are made independently of each other (house promise 9). The development identity's root key is
thrown away after issuing one certificate, so nobody, this installation included, can issue another
in its name.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC
from typing import TYPE_CHECKING

from guard.agreement import require_begun, require_latest, require_locator, require_whole
from provenance.errors import InputError, IntegrityError
from provenance.files import fsync_folder, write_private

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime
    from pathlib import Path

    from guard.home import Home

CONFIG = """\
# Settings of this mediaguard installation. Flags on the command line override them.
schema_version = 1

# Policy pack in force beside "base" (which always is): a name, a path to a .yaml file,
# or several separated by commas.
policy = "default"

# Generator used when none is named: bundled:NAME, dir:PATH, hf:ORG/NAME@COMMIT or plugin:NAME.
model = "bundled:emoji"

# What manifests say of the use of a file for training models and mining data:
# allowed, notAllowed or constrained. Left out, nothing is said.
# training_mining = "notAllowed"

# Who is asked to time-stamp signatures (RFC 3161), the preferred first, and whether a signature without
# one is worth anything: "required", "preferred" or "none". Left out, nobody is asked.
# [timestamp]
# authorities = ["http://timestamp.example.org/tsr"]
# policy = "preferred"

# Where the signing key is, if not in keys/signing: "pkcs11" (with module, token and key) or "command".
# [signer]
# kind = "pkcs11"

# What guard generate says of energy where this machine has no counters of its own, and how much CO2 its
# electricity makes. Left out: 7 W a busy core and the world average.
# [energy]
# watts_per_core = 7.0
# grams_per_kwh = 380.0
# source = "our supplier, 2025"
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """One part of the home.

    Attributes:
        what: in plain words.
        path: where it lies.
        new: False when it was there already.
        place: the address of what lies on a server instead, without a password; None for a file or folder.
    """

    what: str
    path: Path
    new: bool
    place: str | None = None


def initialise(
    home: Home, *, now: datetime, random: Callable[[int], bytes], passphrase: bytes | None = None
) -> tuple[Made, ...]:
    """Make whatever part of the home does not exist yet.

    Each part appears whole or not at all, and ``config.toml`` last: it is what says that a home is
    complete. Run again after an interruption, this goes on where it stopped. A part that others point
    into (the log, its key, the registry, the locator key) is not begun anew beside them.

    Raises:
        InputError: ``home.unusable`` when the folder cannot be made.
        ConfigurationError, IntegrityError: as ``require_whole`` and ``require_locator``;
            ``log.behind-registry`` or ``registry.behind-log`` for another installation's database.
    """
    from guard.roots import all_listed, kept_roots, list_roots  # noqa: PLC0415 - loads cryptography

    home.require_own_keys()
    require_whole(home)
    require_locator(home)
    _require_own(home)
    _folders(home)
    trusted = all_listed(home)  # looked up first: making an identity lists its root as well
    return (
        _part("signing key and development certificate", home.signing_folder,
              lambda: new_identity(home, now=now, random=random, passphrase=passphrase)),
        _part("list of its own development roots", home.trust_folder,
              lambda: list_roots(home, kept_roots(home), now), there=trusted),
        _part("key of the transparency log", home.log_key_path, lambda: _log_key(home)),
        _part("key of the watermark (locator)", home.locator_path, lambda: _locator(home, random)),
        _part("transparency log", home.log_folder, lambda: _log(home), there=home.has_log()),
        _registry(home),
        _part("private records", home.records_folder, lambda: home.records_folder.mkdir(mode=0o700)),
        _part("settings", home.config_path, lambda: write_private(home.config_path, CONFIG.encode())),
    )  # fmt: skip


def _require_own(home: Home) -> None:
    """The database that the settings name is this installation's; a url can name anybody's."""
    if not (home.exists() and home.config().registry.url and home.has_log() and home.has_registry()):
        return
    try:
        with home.registry_as_found() as registry:
            require_begun(registry, home.log_as_found())
            require_latest(registry, home.log_as_found())
    except IntegrityError as error:
        if error.code in ("log.behind-registry", "registry.behind-log"):
            raise  # other damage is nothing that init could add to: doctor tells it


def _folders(home: Home) -> None:
    try:
        for folder in (home.folder, home.folder / "keys"):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(
            "home.unusable",
            f"the home folder cannot be made: {error.strerror}",
            where=str(home.folder),
            hint="set GUARD_HOME to a folder you can write to",
        ) from error


def _part(what: str, path: Path, make: Callable[[], None], *, there: bool | None = None) -> Made:
    new = not (path.exists() if there is None else there)
    if new:
        make()
    return Made(what=what, path=path, new=new)


def new_identity(
    home: Home, *, now: datetime, random: Callable[[int], bytes], passphrase: bytes | None = None
) -> None:
    """A fresh development identity under ``keys/signing``; an earlier one is kept beside it.

    The trust list of earlier development roots is kept, so files signed before stay verifiable.
    """
    home.require_own_keys()
    from guard.roots import ROOT, kept_roots, list_roots  # noqa: PLC0415
    from provenance.manifest.identity import create_development_identity  # noqa: PLC0415

    # Random, because a certificate is public: no user name, no host name (house promise 2).
    identity = create_development_identity(
        name=f"mediaguard development {random(4).hex()}", now=now, passphrase=passphrase
    )
    list_roots(home, (*kept_roots(home), identity.root_pem), now)
    files = {"key.pem": identity.key_pem, "chain.pem": identity.chain_pem, ROOT: identity.root_pem}
    install_identity(home, files, now=now, random=random)


def install_identity(
    home: Home, files: Mapping[str, bytes], *, now: datetime, random: Callable[[int], bytes]
) -> None:
    """Put ``files`` (key, chain, root) in force under ``keys/signing``; what was there is kept beside it."""
    fresh = home.signing_folder.with_name(f".signing-{random(4).hex()}")
    fresh.mkdir(mode=0o700)
    for name, data in files.items():
        write_private(fresh / name, data)
    fsync_folder(fresh)
    if home.signing_folder.exists():
        stamp = now.astimezone(UTC).strftime("%Y%m%dT%H%M%S.%fZ")
        home.signing_folder.rename(home.signing_folder.with_name(f"signing-until-{stamp}"))
    fresh.rename(home.signing_folder)
    fsync_folder(home.signing_folder.parent)


def _log_key(home: Home) -> None:
    from provenance.keys import create_log_key  # noqa: PLC0415

    create_log_key(home.log_key_path)


def _locator(home: Home, random: Callable[[int], bytes]) -> None:
    from provenance.keys import create_locator_key  # noqa: PLC0415

    create_locator_key(home.locator_path, random=random)


def _log(home: Home) -> None:
    from provenance.keys import load_log_key  # noqa: PLC0415
    from provenance.log.store import Log  # noqa: PLC0415

    Log.create(home.log_folder, load_log_key(home.log_key_path))


def _registry(home: Home) -> Made:
    """In its file, or in the database that the settings name."""

    def make() -> None:
        home.open_registry("create").close()

    made = _part("registry", home.registry_path, make, there=home.has_registry())
    if not home.config().registry.url:
        return made
    with home.registry_as_found() as registry:
        return replace(made, place=registry.place)
