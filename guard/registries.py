"""Publishing this installation's registry, and keeping copies of others'.

What leaves with a publication: released manifests, the ids in their marks, digests of released files, the
log, what was withdrawn, and the locator keys unless they are held back. What does not: pending entries,
private records, and every other key.
"""

from __future__ import annotations

import time
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

from provenance.errors import ConfigurationError, IntegrityError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from guard.home import Home
    from provenance.canonical import Json
    from provenance.registry import Registry
    from provenance.registry_entry import Place
    from provenance.registry_kept import Fetched, KeptRegistries
    from provenance.registry_move import Moved
    from provenance.registry_publish import Contents, Published
    from provenance.registry_source import FetchLimits
    from provenance.watermark.interface import WatermarkKey


@dataclass(frozen=True, slots=True, kw_only=True)
class Publication:
    """What a publication did.

    Attributes:
        published: see there.
        fingerprint: of the publisher's key, for people to compare.
        locator: whether the keys that find marks went along.
    """

    published: Published
    fingerprint: str
    locator: bool


def publish(home: Home, target: Path, *, locator: bool, now: datetime) -> Publication:
    """Bring the folder ``target`` up to date with the registry and log of ``home``.

    1. registry and log tell the same story
    2. of new manifests, the digest they sign and how they look
    3. files are written beside the folder, signed with the log key, and take its name at once

    Args:
        home: the installation.
        target: a folder of its own; made where it does not exist.
        locator: also publish the keys that marks are found with: who has them can forge and remove marks.
        now: time of publication.

    Raises:
        InputError: ``registry.folder-in-use``.
        ConfigurationError: a part of the home is missing; ``lock.timeout``; ``signer.elsewhere``.
        IntegrityError: ``log.behind-registry``, ``registry.behind-log``, and damage to either.
    """
    from guard.agreement import require_agreement, require_locator  # noqa: PLC0415
    from provenance.keys import load_log_key  # noqa: PLC0415
    from provenance.locks import locked  # noqa: PLC0415
    from provenance.registry_head import fingerprint_of  # noqa: PLC0415
    from provenance.registry_publish import publish as publish_files  # noqa: PLC0415

    home.require().require_own_keys()
    require_locator(home)
    signer, log = load_log_key(home.log_key_path), home.log()
    with locked(home.folder / ".publish.lock"), home.registry() as registry:
        require_agreement(registry, log)  # (1)
        keys = home.locators() if locator else ()
        contents = _contents(home, registry, keys)  # (2)
        done = publish_files(contents, log, signer, target, now=int(now.timestamp()))  # (3)
    return Publication(published=done, fingerprint=fingerprint_of(signer.verifier), locator=bool(keys))


def _contents(home: Home, registry: Registry, keys: Sequence[WatermarkKey]) -> Contents:
    from provenance.keys import locator_document  # noqa: PLC0415
    from provenance.registry_publish import Contents  # noqa: PLC0415
    from provenance.registry_withdrawn import read_withdrawals  # noqa: PLC0415

    places = registry.places()
    return Contents(
        places=places,
        manifest=lambda sha256: _manifest(registry, sha256),
        fingerprints=fingerprints_of(registry, places),
        withdrawals=read_withdrawals(home.folder),
        locators={f"{key.key_id}.json": locator_document(key) for key in keys},
    )


def fingerprints_of(registry: Registry, places: Sequence[Place]) -> dict[str, bytes]:
    """How every released picture looks, by digest of its manifest; computed once and kept.

    Raises:
        As ``provenance.registry.Registry``; it is open for writing.
    """
    from provenance.registry_fingerprints import fingerprint_of_digest  # noqa: PLC0415 - numpy

    known = registry.fingerprints()
    wanted = dict.fromkeys(place.manifest_sha256 for place in places)
    new = {}
    for sha256 in wanted:
        if sha256 not in known:
            new[sha256] = fingerprint_of_digest(_manifest(registry, sha256)[1]) or b""
    registry.keep_fingerprints(new)
    return {sha256: bits for sha256, bits in {**known, **new}.items() if bits and sha256 in wanted}


def _manifest(registry: Registry, sha256: str) -> tuple[bytes, Mapping[str, Json] | None]:
    """A manifest, and the content digest that it signs."""
    from provenance.manifest import contents, jumbf  # noqa: PLC0415 - cryptography
    from provenance.manifest.cbor import StructureError  # noqa: PLC0415
    from provenance.manifest.labels import DIGEST_LABEL  # noqa: PLC0415

    entry = registry.by_manifest(sha256)[0]
    try:
        found = contents.assertions(entry.manifest, jumbf.parse_store(entry.manifest).boxes[-1])
    except StructureError as error:
        what = f"manifest {sha256[:16]}… cannot be read: {error}"
        raise IntegrityError(
            "registry.damaged", what, where=registry.place, hint="restore a copy of it"
        ) from error
    digest = found.get(DIGEST_LABEL)
    return entry.manifest, digest if isinstance(digest, dict) else None


def kept_registries(home: Home) -> KeptRegistries:
    """Copies of other publishers' registries."""
    from provenance.registry_kept import KeptRegistries  # noqa: PLC0415

    return KeptRegistries(folder=home.registries_folder)


def add(
    home: Home, place: str, *, name: str | None, key: str | None = None, at: datetime, limits: FetchLimits
) -> Fetched:
    """Fetch the registry at ``place``, an https address or a folder, and keep a verified copy.

    With ``key``, the fingerprint that its publisher says elsewhere, no other key is taken.

    Raises:
        As ``provenance.registry_kept.KeptRegistries.fetch``, and ``registry.url-refused``.
    """
    from pathlib import Path  # noqa: PLC0415

    from provenance.registry_source import is_address, source_of  # noqa: PLC0415

    folder = None if is_address(place) else Path(place).expanduser().absolute()
    source = source_of(place, folder, limits=limits, clock=time.monotonic)
    try:
        return kept_registries(home.require()).fetch(
            source, name=name, key=key, trust=home.trust(), at=at, limits=limits, clock=time.monotonic
        )
    finally:
        source.close()


def update(home: Home, name: str, *, at: datetime, limits: FetchLimits) -> Fetched:
    """The same for one that was added; raises the same, and ``registry.unknown``."""
    return add(home, kept_registries(home).source(name), name=name, at=at, limits=limits)


def move(home: Home, url: str) -> Moved:
    """Copy the own registry from its file to the empty database at ``url``, and hold that against the log.

    Nothing is changed here: the settings are the operator's, and the file stays.

    Raises:
        ConfigurationError: ``registry.served``, ``registry.url``, ``registry.unreachable``,
            ``extra.missing``.
        InputError: ``registry.not-empty``.
        IntegrityError: ``registry.damaged``, ``log.behind-registry``, ``registry.behind-log``.
    """
    from guard.agreement import require_agreement  # noqa: PLC0415
    from provenance.registry import Registry  # noqa: PLC0415
    from provenance.registry_file import SqliteDatabase  # noqa: PLC0415
    from provenance.registry_move import move as move_rows  # noqa: PLC0415
    from provenance.registry_postgres import PostgresDatabase  # noqa: PLC0415

    home.require_own_keys()
    if home.require().config().registry.url:
        raise ConfigurationError(
            "registry.served",
            "the registry of this installation is on a server already",
            where=str(home.config_path),
            hint="pg_dump and pg_restore take it to another; then change the url",
        )
    with home.registry_as_found() as registry:
        require_agreement(registry, home.log_as_found())
    source = SqliteDatabase.open(home.registry_path, access="write", busy_timeout_s=10.0)
    with closing(source), closing(PostgresDatabase.open(url, access="create", busy_timeout_s=10.0)) as target:
        moved = move_rows(source, target)
    with Registry.connect(url, access="read") as registry:
        require_agreement(registry, home.log_as_found())
    return moved
