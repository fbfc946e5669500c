"""How an identity that an authority vouches for gets in: a key, a request for a certificate, the chain back.

The key that waits lies in ``keys/requested``, with the request it was sent out in. Nothing that was in force
is overwritten.
"""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from guard.identities import CHAIN, KEY, own_identities
from guard.setup import install_identity
from guard.signing_keys import ELSEWHERE, key_elsewhere, reach_signer
from provenance.errors import ConfigurationError, InputError
from provenance.files import fsync_folder, write_private
from provenance.manifest.key_files import load_private_key, read_pem
from provenance.manifest.profile import errors_of, lint_chain
from provenance.manifest.request import certificate_request, make_key, protected_pem, remote_request
from provenance.manifest.revocation import key_digest, refuse_revoked
from provenance.manifest.signers import PemSigner, algorithm_of, leaf_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from pathlib import Path

    from guard.home import Home
    from guard.identities import OwnIdentity
    from provenance.manifest.key_files import Passphrase
    from provenance.manifest.pkcs11 import TokenKey
    from provenance.manifest.request import PublicKey, Subject
    from provenance.manifest.trust import TrustLists

REQUEST = "request.pem"


def request_certificate(
    home: Home,
    subject: Subject,
    *,
    algorithm: str = "es256",
    new: Callable[[], bytes] | None = None,
    existing: Passphrase | None = None,
    current: bool = False,
) -> bytes:
    """A request for a certificate over the key that waits for one, which is made if there is none.

    Args:
        home: where the key is kept.
        subject: whom the certificate is to name.
        algorithm: of a key made now.
        new: gives the passphrase of a key made now; None: it gets none.
        existing: gives the passphrase of a key that is there.
        current: over the key of the identity in force instead, so that it is certified once more.

    Raises:
        ConfigurationError: as ``load_private_key``.
    """
    if current:
        return certificate_request(load_private_key(home.signing_folder / KEY, existing), subject)
    if not (home.requested_folder / KEY).exists():
        secret = new() if new is not None else None
        make_requested_key(home, algorithm=algorithm, passphrase=secret)
        existing = lambda: secret or b""  # noqa: E731 - asked for once
    request = certificate_request(load_private_key(home.requested_folder / KEY, existing), subject)
    write_private(home.requested_folder / REQUEST, request, overwrite=True)
    return request


def request_elsewhere(home: Home, subject: Subject, key: TokenKey | PublicKey, *, pin: Passphrase) -> bytes:
    """A request for a certificate over a key that is on a token, or behind the program of the settings.

    Args:
        home: whose settings name the program.
        subject: whom the certificate is to name.
        key: the key on its token, or the public key of the one that the program signs with.
        pin: gives that of the token.

    Raises:
        InputError: ``identity.no-command`` when the settings name no program.
        ConfigurationError: as ``Pkcs11Signer``, ``CommandSigner``; ``signer.key-mismatch``.
    """
    from provenance.manifest.pkcs11 import TokenKey  # noqa: PLC0415 - of one kind of key

    if isinstance(key, TokenKey):
        from provenance.manifest.pkcs11_adapter import TokenSession  # noqa: PLC0415 - loads its library

        session = TokenSession(key=key, pin=pin)
        public = session.public_key()
        algorithm = algorithm_of(public)
        return remote_request(public, subject, lambda data: session.sign(data, algorithm))
    from provenance.manifest.command import run  # noqa: PLC0415

    settings, algorithm = home.config().signer, algorithm_of(key)
    if settings.kind != "command":
        what = 'a public key alone is asked for with kind = "command" under [signer] in config.toml'
        raise InputError("identity.no-command", what, hint="or --pkcs11 for a key on a token")
    asked = settings.command, settings.timeout_s
    return remote_request(key, subject, lambda data: run(asked[0], data, algorithm, asked[1]))


def configured_key(home: Home) -> TokenKey | PublicKey:
    """The key that ``[signer]`` of the settings names: on its token, or that of the certificate in force.

    Raises:
        ConfigurationError: ``signer.elsewhere`` where a signer process has it; ``signer.chain-missing``,
            ``signer.bad-chain``, ``signer.unsupported-key``.
    """
    from provenance.manifest.pkcs11 import TokenKey  # noqa: PLC0415 - of one kind of key
    from provenance.manifest.request import PublicKey  # noqa: PLC0415

    settings = home.config().signer
    if settings.kind == "pkcs11":
        return TokenKey(module=settings.module, token=settings.token, key=settings.key)
    if settings.kind == "socket":
        raise key_elsewhere(settings)
    chain = read_pem(home.signing_folder / CHAIN, "signer.chain-missing", "the certificate chain")
    public = leaf_of(chain).public_key()
    algorithm_of(public)
    assert isinstance(public, PublicKey)
    return public


def make_requested_key(home: Home, *, algorithm: str, passphrase: bytes | None) -> None:
    """A new private key that waits for its certificate.

    Raises:
        ConfigurationError: ``signer.elsewhere``: no certificate could ever be put in force here.
        InputError: ``identity.key-waiting`` when one does already.
    """
    home.require_own_keys()
    folder = home.requested_folder
    folder.mkdir(mode=0o700, exist_ok=True)
    if (folder / KEY).exists():
        what = "there is a key already that waits for its certificate"
        hint = "guard keys csr asks for it; to drop the key, move that folder away"
        raise InputError("identity.key-waiting", what, where=str(folder), hint=hint)
    write_private(folder / KEY, protected_pem(make_key(algorithm), passphrase))
    fsync_folder(folder.parent)


def import_chain(
    home: Home,
    chain: bytes,
    *,
    now: datetime,
    random: Callable[[int], bytes],
    passphrase: Passphrase | None = None,
    key_path: Path | None = None,
) -> OwnIdentity:
    """Put the chain that an authority returned in force, with the key that it belongs to.

    1. no rule of the profile is broken, and nothing in it was revoked
    2. the key: of ``key_path``, else the one that ``[signer]`` of the settings names, else the one that
       waits, else that of the identity in force
    3. a signature made with the key verifies with the certificate
    4. into ``keys/signing``, without the root; the identity before is kept beside it

    Raises:
        InputError: ``chain.unreadable``, ``identity.profile``, ``identity.no-key``.
        ConfigurationError: ``signer.revoked``, ``signer.key-mismatch``, ``signer.elsewhere``; as
            ``load_private_key``.
    """
    home.require_own_keys()
    trust = home.trust()
    _require_profile(chain, now, trust)  # 1
    refuse_revoked(chain, trust.revoked)
    kept = _without_root(chain)
    if key_path is None and home.config().signer.kind in ELSEWHERE:
        reach_signer(kept, home.config().signer, passphrase).self_test()  # 2 and 3
        install_identity(home, {CHAIN: kept}, now=now, random=random)  # 4
        return own_identities(home, now=now)[0]
    path = key_path or _key_of(home, leaf_of(kept))  # 2
    PemSigner(chain=kept, key=load_private_key(path, passphrase))  # 3
    key = read_pem(path, "signer.key-missing", "the private key")
    install_identity(home, {KEY: key, CHAIN: kept}, now=now, random=random)  # 4
    if path.parent == home.requested_folder:
        shutil.rmtree(home.requested_folder)
    return own_identities(home, now=now)[0]


def _require_profile(chain: bytes, now: datetime, trust: TrustLists) -> None:
    for found in errors_of(lint_chain(chain, now=now, trust=trust)):
        raise InputError(
            "identity.profile",
            f"the chain breaks {found.rule}: {found.what} ({found.clause})",
            hint="guard keys lint CHAIN names every rule it breaks",
        )


def _without_root(chain: bytes) -> bytes:
    """Verifiers take roots from their own lists; in the file they are weight only (``chain.root``)."""
    certificates = x509.load_pem_x509_certificates(chain)
    if len(certificates) > 1 and certificates[-1].issuer == certificates[-1].subject:
        certificates = certificates[:-1]
    return b"".join(one.public_bytes(Encoding.PEM) for one in certificates)


def waiting_request(home: Home) -> x509.CertificateSigningRequest:
    """The request that the waiting key was last sent out in.

    Raises:
        ConfigurationError: ``identity.request-damaged``.
    """
    path = home.requested_folder / REQUEST
    try:
        return x509.load_pem_x509_csr(read_pem(path, "identity.request-damaged", "the certificate request"))
    except ValueError as error:
        what = "the certificate request cannot be read as PEM"
        hint = "guard keys csr writes it anew"
        raise ConfigurationError("identity.request-damaged", what, where=str(path), hint=hint) from error


def _key_of(home: Home, leaf: x509.Certificate) -> Path:
    """The file of the key that the certificate was issued for, told by public keys: none is opened."""
    wanted = key_digest(leaf.public_key())
    waiting = home.requested_folder / REQUEST
    if waiting.exists() and key_digest(waiting_request(home).public_key()) == wanted:
        return home.requested_folder / KEY
    own = home.signing_folder / CHAIN
    if own.exists() and key_digest(leaf_of(own.read_bytes()).public_key()) == wanted:
        return home.signing_folder / KEY
    raise InputError(
        "identity.no-key",
        "no key here is the one that this certificate was issued for",
        hint="name its key file with --key, or import the certificate of the request that was sent",
    )
