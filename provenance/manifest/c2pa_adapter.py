"""The one file that names the C2PA library (c2pa-python over c2pa-rs).

Values in, values out: settings are written here and nowhere else, because the library accepts
unknown keys without a word; every one of its errors is translated; no stream, handle or JSON leaves.
"""

from __future__ import annotations

import io
import json
import os
import re
from dataclasses import replace
from datetime import UTC, datetime
from enum import StrEnum
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple, cast
from weakref import WeakKeyDictionary

import c2pa

from provenance.errors import ConfigurationError, InputError
from provenance.manifest.settings import settings_json
from provenance.manifest.trust import ListKind, TrustLists
from provenance.sniff import format_name
from provenance.spool import spool_like
from provenance.stored import require_unchanged, stream_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import BinaryIO

    from provenance.manifest.signers import PemSigner, Signer
    from provenance.manifest.spec import Parent
    from provenance.spool import Spool
    from provenance.stored import Bytes

_REMOTE = re.compile(r"^Remote: .*?(https?://\S+)?$", re.DOTALL)
_MAX_MANIFEST_JSON = 2**20
"""Characters of a definition; the library refuses 2 MB, and no manifest of ours comes near."""


class Failure(StrEnum):
    """How the library failed to give a result."""

    ABSENT = "absent"
    REMOTE = "remote"
    UNREADABLE = "unreadable"


class StoreReport(NamedTuple):
    """What the library says about a file: its report, or why there is none."""

    report: Mapping[str, Any] | None = None
    failure: Failure | None = None
    message: str = ""
    remote_url: str | None = None


def library_version() -> str:
    """Version of the native library, which is another than that of the package around it."""
    return str(c2pa.sdk_version())


def read_store(
    data: Bytes, mime: str, trust: TrustLists, *, sidecar: bytes | None = None, signers: bool = False
) -> StoreReport:
    """Reads and validates a file's manifest store; opens no socket.

    Args:
        data: the file.
        mime: its media type.
        trust: lists of time-stamp authorities and identities, and what is asked of certificates.
        sidecar: its manifest store, where that lies beside it.
        signers: hold the signer against the lists too. Readers do without: ``provenance.manifest.path``
            follows the chain by the caller's clock, and a second look would take a quarter of all the time.
    """
    lists = trust if signers else _without_signers(trust)
    return _read(data, mime, _context(settings_json(lists), os.getpid()), sidecar)


def read_crjson(data: Bytes, mime: str, trust: TrustLists, *, sidecar: bytes | None = None) -> str | None:
    """The same file as crJSON (C2PA conformance programme), or None where the library gives none."""
    context = _context(settings_json(trust), os.getpid())
    try:
        with c2pa.Reader(mime, stream_of(data), manifest_data=sidecar, context=context) as reader:
            return str(reader.crjson())
    except (c2pa.C2paError, ValueError):  # the verdict beside it says what is wrong with the file
        return None
    finally:
        require_unchanged(data)


def read_plain(data: Bytes, mime: str, *, sidecar: bytes | None = None) -> StoreReport:
    """The same file in the library's default state, except that it fetches nothing."""
    return _read(data, mime, _context('{"verify":{"remote_manifest_fetch":false}}', os.getpid()), sidecar)


def write_store(
    data: Bytes,
    mime: str,
    definition: Mapping[str, Any],
    signer: Signer,
    trust: TrustLists,
    *,
    taken_in: Sequence[Parent] = (),
    embed: bool = True,
) -> tuple[Bytes, bytes]:
    """Signs ``data`` and returns the signed file and its manifest store.

    With ``embed=False`` the file stays as it is and the store is all there is.

    Raises:
        InputError: ``sign.unsupported-media``, ``sign.parent-unreadable`` or ``sign.manifest-too-large``.
        ConfigurationError: ``sign.certificate-refused`` or ``sign.library-failed``; ``disk.full`` for a clip
            that does not fit where it is kept until it may leave.
            As ``provenance.manifest.timestamps``, where a time-stamp is asked for.
        Exception: whatever the signer itself raised, unchanged.
    """
    text, signed = _bounded_json(definition), None if isinstance(data, bytes) else spool_like(data)
    raised: list[Exception] = []
    try:
        native = _native_signer(signer, raised)
        with c2pa.Builder(text, context=_context(settings_json(trust), os.getpid())) as builder:
            _prepare(builder, taken_in, embed=embed)
            out = io.BytesIO() if signed is None else signed.writer()
            store = bytes(builder.sign(native, mime, stream_of(data), out))
            out.flush()
    except c2pa.C2paError as error:
        require_unchanged(data)
        _raise_cause(error, next(iter(raised), None), signed)
        raise _signing_error(error, mime, signer) from error
    if not embed:
        return data, _timed(store, signer, trust, None, None)
    written: Bytes = out.getvalue() if isinstance(out, io.BytesIO) else cast("Bytes", signed)
    stamped = _timed(store, signer, trust, written, out)
    return (written if stamped is store or signed else cast("io.BytesIO", out).getvalue()), stamped


def _prepare(builder: Any, taken_in: Sequence[Parent], *, embed: bool) -> None:
    for one in taken_in:
        _add_ingredient(builder, one)
    if not embed:
        builder.set_no_embed()


def _raise_cause(error: Exception, by_signer: Exception | None, signed: Spool | None) -> None:
    """Raise what made the library fail: the signer's own exception, or a disk that took no more."""
    spoiled = None if signed is None else signed.failure  # an empty spool is as false as none
    if cause := by_signer or spoiled:
        raise cause from (cause.__cause__ or error)  # a signer may know better what lay behind it


def _timed(
    store: bytes, signer: Signer, trust: TrustLists, signed: Bytes | None, out: BinaryIO | None
) -> bytes:
    """``store`` with a time-stamp, where the signer asks for one; the file behind ``out`` likewise."""
    if not hasattr(signer, "stamper"):  # a first picture need not wait for what reads time-stamps
        return store
    from provenance.manifest.timestamps import StampedSigner, place_token, token_for  # noqa: PLC0415

    if not isinstance(signer, StampedSigner):
        return store
    stamp = token_for(store, signer.stamper, trust)
    return store if stamp is None else place_token(stamp.token, store, signed, out)


def _bounded_json(definition: Mapping[str, Any]) -> str:
    text = json.dumps(definition, allow_nan=False)
    if len(text) > _MAX_MANIFEST_JSON:
        raise InputError(
            "sign.manifest-too-large", f"the manifest has {len(text)} characters; the limit is 1 MiB"
        )
    return text


def _read(data: Bytes, mime: str, context: Any, sidecar: bytes | None) -> StoreReport:
    try:
        return _report(data, mime, context, sidecar)
    finally:
        require_unchanged(data)


def _report(data: Bytes, mime: str, context: Any, sidecar: bytes | None) -> StoreReport:
    try:
        with c2pa.Reader(mime, stream_of(data), manifest_data=sidecar, context=context) as reader:
            return StoreReport(report=json.loads(reader.json()))
    except c2pa.C2paError.ManifestNotFound as error:
        return StoreReport(failure=Failure.ABSENT, message=str(error))
    except c2pa.C2paError as error:
        remote = _REMOTE.match(str(error))
        if remote or isinstance(error, c2pa.C2paError.RemoteManifest):
            url = remote.group(1) if remote else None
            return StoreReport(failure=Failure.REMOTE, message=str(error), remote_url=url)
        return StoreReport(failure=Failure.UNREADABLE, message=str(error))
    except ValueError as error:  # the report is not JSON, or holds a null byte
        return StoreReport(failure=Failure.UNREADABLE, message=str(error))


@lru_cache(maxsize=8)
def _without_signers(trust: TrustLists) -> TrustLists:
    return replace(trust, lists=tuple(one for one in trust.lists if one.kind is not ListKind.MANIFEST))


@lru_cache(maxsize=8)
def _context(settings: str, _process: int) -> Any:
    # Keyed by process: a native handle does not survive a fork.
    return c2pa.Context.from_json(settings)


_native: WeakKeyDictionary[PemSigner, tuple[int, Any]] = WeakKeyDictionary()


def _native_signer(signer: Signer, raised: list[Exception]) -> Any:
    """A handle of the library's own for keys in memory, a callback for keys elsewhere.

    For a callback the library reserves 10 kB of padding in every file, for its own handle a tenth;
    making a handle costs more than a signature, so it is kept (for this process only).
    """
    from provenance.manifest.signers import PemSigner  # noqa: PLC0415 - readers do without it

    if isinstance(signer, PemSigner):
        process, handle = _native.get(signer, (0, None))
        if process != os.getpid():
            info = c2pa.C2paSignerInfo(signer.algorithm.encode(), signer.chain, signer.private_pem(), None)
            handle = c2pa.Signer.from_info(info)
            _native[signer] = os.getpid(), handle
        return handle
    algorithm = getattr(c2pa.C2paSigningAlg, signer.algorithm.upper())
    return c2pa.Signer.from_callback(
        _keeping(signer.sign, raised), algorithm, signer.chain.decode("ascii"), None
    )


def _keeping(sign: Callable[[bytes], bytes], raised: list[Exception]) -> Callable[[bytes], bytes]:
    """The library turns any exception of a callback into "internal error"; keep the real one."""

    def callback(data: bytes) -> bytes:
        try:
            return sign(bytes(data))
        except Exception as error:
            raised.append(error)
            raise

    return callback


def _add_ingredient(builder: Any, one: Parent) -> None:
    ingredient = {"title": one.title, "relationship": one.relationship, "label": one.label}
    try:
        builder.add_ingredient(ingredient, one.mime, stream_of(one.data))
    except c2pa.C2paError as error:
        from provenance.manifest.spec import unreadable_parent  # noqa: PLC0415 - readers do without it

        raise unreadable_parent() from error


def _signing_error(error: Exception, mime: str, signer: Signer) -> Exception:
    text = str(error)
    unreadable = c2pa.C2paError.NotSupported, c2pa.C2paError.Io, c2pa.C2paError.Decoding
    if isinstance(error, unreadable) or "could not be parsed" in text:
        return InputError(
            "sign.unsupported-media",
            f"a manifest cannot be put into this {format_name(mime)} file",
            hint="save it again as PNG, JPEG, WebP or TIFF, or as MP4 or WebM",
        )
    if "certificate" in text:
        return _refused(signer, text)
    return ConfigurationError("sign.library-failed", f"signing failed inside the C2PA library: {text[:200]}")


def _refused(signer: Signer, text: str) -> ConfigurationError:
    """Names the rule that the certificate breaks; the library only says that it is invalid."""
    from provenance.manifest.profile import errors_of, lint_chain  # noqa: PLC0415 - readers do without it

    try:
        found = errors_of(lint_chain(signer.chain, now=datetime.now(UTC)))
    except InputError as error:
        text, found = error.what, ()
    why = f"{found[0].what} ({found[0].rule}, {found[0].clause})" if found else text[:200]
    return ConfigurationError(
        "sign.certificate-refused",
        f"the signing certificate cannot be used: {why}",
        hint="guard keys lint CHAIN names every rule; guard keys renew makes a development certificate",
    )
