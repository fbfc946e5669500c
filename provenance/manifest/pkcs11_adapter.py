"""The one file that names python-pkcs11: sessions with a token, opened late and again, errors translated.

A wrong PIN is never sent twice: tokens count, and lock themselves after a few.
"""

from __future__ import annotations

import hashlib
import os
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any
from weakref import finalize

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from provenance.errors import ConfigurationError, missing_extra

try:
    import pkcs11
    from pkcs11 import Attribute, KeyType, Mechanism, ObjectClass
    from pkcs11 import exceptions as said
except ImportError as error:
    raise missing_extra("pkcs11", "a key on a hardware token") from error

if TYPE_CHECKING:
    from collections.abc import Callable

    from provenance.manifest.pkcs11 import TokenKey

_DIGESTS = {"es256": "sha256", "es384": "sha384", "es512": "sha512"}
_CURVES: dict[str, ec.EllipticCurve] = {
    "06082a8648ce3d030107": ec.SECP256R1(),
    "06052b81040022": ec.SECP384R1(),
    "06052b81040023": ec.SECP521R1(),
}
_PSS = (Mechanism.SHA256, pkcs11.MGF.SHA256, 32)
_LOST = (
    *(said.SessionHandleInvalid, said.SessionClosed, said.UserNotLoggedIn, said.ObjectHandleInvalid),
    *(said.KeyHandleInvalid, said.DeviceRemoved, said.TokenNotPresent, said.DeviceError),
)
"""After these a new session may help; the token was reset, or taken out and put in again."""
_PIN = (said.PinIncorrect, said.PinInvalid, said.PinLenRange)
_opened_in: dict[str, int] = {}
"""Module → process that it was initialised in: a child has to begin anew (PKCS 11 v2.40 §5.4)."""
_loading = threading.Lock()


class TokenSession:
    """A key on a token, found when it is first needed.

    Args:
        key: which.
        pin: gives the PIN; None where the token asks for it itself.
    """

    def __init__(self, *, key: TokenKey, pin: Callable[[], bytes] | None) -> None:
        self._which, self._ask = key, pin
        self._pin: str | None = None
        self._refused: ConfigurationError | None = None
        self._open: dict[int, Any] = {}
        self._keys: dict[ObjectClass, Any] = {}
        finalize(self, _close, self._open)

    def sign(self, data: bytes, algorithm: str) -> bytes:
        """Signature over ``data`` by a COSE algorithm in lower case; ECDSA as r ‖ s.

        Raises:
            ConfigurationError: see ``Pkcs11Signer``.
        """
        return bytes(self._with_key(ObjectClass.PRIVATE_KEY, lambda key: _signed(key, data, algorithm)))

    def public_key(self) -> ec.EllipticCurvePublicKey | rsa.RSAPublicKey | ed25519.Ed25519PublicKey:
        """The public key that lies beside the private one.

        Raises:
            ConfigurationError: see ``Pkcs11Signer``; ``signer.unsupported-key``.
        """
        return self._with_key(ObjectClass.PUBLIC_KEY, _public)  # type: ignore[no-any-return] # of _public

    def _with_key(self, kind: ObjectClass, use: Callable[[Any], Any]) -> Any:
        if self._refused is not None:
            raise self._refused
        for last in (False, True):
            try:
                return use(self._found(kind))
            except _LOST as lost:
                _close(self._open)
                if last:
                    raise _failed(lost, self._which) from lost
            except said.PKCS11Error as failure:
                translated = _translated(failure, self._which)
                if isinstance(failure, (*_PIN, said.PinLocked)):
                    self._refused = translated
                raise translated from failure
        raise AssertionError

    def _found(self, kind: ObjectClass) -> Any:
        session = self._open.get(os.getpid())
        if session is None:
            token = _library(self._which.module).get_token(token_label=self._which.token)
            session = self._open[os.getpid()] = self._logged_in(token)
            self._keys.clear()
        if kind not in self._keys:
            named = {"label": self._which.label} if self._which.id is None else {"id": self._which.id}
            self._keys[kind] = session.get_key(object_class=kind, **named)
        return self._keys[kind]

    def _logged_in(self, token: Any) -> Any:
        try:
            return token.open(user_pin=self._secret())
        except said.UserAlreadyLoggedIn:
            return token.open()  # a log-in holds for all sessions of a process (PKCS 11 v2.40 §5.6)

    def _secret(self) -> Any:
        if self._ask is None:
            return pkcs11.PROTECTED_AUTH
        if self._pin is None:
            try:
                self._pin = self._ask().decode()
            except UnicodeDecodeError as error:
                what = "the PIN of the token is no text in UTF-8"
                raise ConfigurationError("pkcs11.pin-wrong", what) from error
        return self._pin


def _close(sessions: dict[int, Any]) -> None:
    """Ends the session of this process; a log-in ends with the last one."""
    session = sessions.pop(os.getpid(), None)
    if session is not None:
        with suppress(said.PKCS11Error):  # of a token that is gone there is nothing to close
            session.close()


def _library(module: str) -> Any:
    with _loading:
        try:
            library = pkcs11.lib(module)
            if _opened_in.setdefault(module, os.getpid()) != os.getpid():
                library.reinitialize()
                _opened_in[module] = os.getpid()
        except said.PKCS11Error as failure:
            raise _not_started(failure, module) from failure
        return library


def _signed(key: Any, data: bytes, algorithm: str) -> bytes:
    if algorithm in _DIGESTS:
        # Every token has CKM_ECDSA; not every one makes the digest itself.
        digest = hashlib.new(_DIGESTS[algorithm], data).digest()
        return bytes(key.sign(digest, mechanism=Mechanism.ECDSA))
    if algorithm == "ps256":
        return bytes(key.sign(data, mechanism=Mechanism.SHA256_RSA_PKCS_PSS, mechanism_param=_PSS))
    return bytes(key.sign(data, mechanism=Mechanism.EDDSA))


def _public(key: Any) -> ec.EllipticCurvePublicKey | rsa.RSAPublicKey | ed25519.Ed25519PublicKey:
    try:
        if key.key_type == KeyType.RSA:
            exponent, modulus = (key[one] for one in (Attribute.PUBLIC_EXPONENT, Attribute.MODULUS))
            return rsa.RSAPublicNumbers(_number(exponent), _number(modulus)).public_key()
        point = bytes(key[Attribute.EC_POINT])
        if key.key_type == KeyType.EC_EDWARDS:
            return ed25519.Ed25519PublicKey.from_public_bytes(point[-32:])
        curve = _CURVES[bytes(key[Attribute.EC_PARAMS]).hex()]
        size = 1 + 2 * ((curve.key_size + 7) // 8)  # behind the header of an OCTET STRING, or without one
        return ec.EllipticCurvePublicKey.from_encoded_point(curve, point[-size:])
    except (KeyError, ValueError, UnsupportedAlgorithm) as error:
        what = "the key on the token is of a kind that C2PA does not sign with"
        raise ConfigurationError("signer.unsupported-key", what, hint="guard keys lint CHAIN") from error


def _number(value: Any) -> int:
    return value if isinstance(value, int) else int.from_bytes(value, "big")


def _translated(failure: Exception, which: TokenKey) -> ConfigurationError:
    if isinstance(failure, _PIN):
        what, hint = "the token does not take this PIN", "nothing is tried twice: tokens lock themselves"
        return ConfigurationError("pkcs11.pin-wrong", what, where=which.token, hint=hint)
    if isinstance(failure, said.PinLocked):
        what, hint = "the token has locked its PIN", "its security officer can set another"
        return ConfigurationError("pkcs11.pin-locked", what, where=which.token, hint=hint)
    if isinstance(failure, said.NoSuchToken | said.MultipleTokensReturned | said.TokenNotRecognised):
        what = f"there is no one token with the label {which.token!r}"
        return ConfigurationError("pkcs11.token", what, hint="is it plugged in, and initialised?")
    if isinstance(failure, said.NoSuchKey | said.MultipleObjectsReturned):
        what = f"there is no one key named {which.key!r} on the token"
        hint = "name it by its id, id:HEX, where several have a label"
        return ConfigurationError("pkcs11.key", what, where=which.token, hint=hint)
    return _failed(failure, which)


def _not_started(failure: Exception, module: str) -> ConfigurationError:
    """Nothing was asked of a token yet: the library is at fault, or its own settings are."""
    if str(failure).startswith("OS exception while loading"):
        what = "the PKCS 11 library of the token cannot be loaded"
        hint = "see module under [signer] in config.toml"
        return ConfigurationError("pkcs11.module", what, where=module, hint=hint)
    what = f"the PKCS 11 library of the token does not start ({type(failure).__name__})"
    hint = "it may not find its own settings, or the folder that these name"
    if "softhsm" in module.lower():
        named = os.environ.get("SOFTHSM2_CONF")
        gone = "" if named is None or os.path.exists(named) else ", which does not exist"  # noqa: PTH110
        where = "/etc/softhsm/softhsm2.conf" if named is None else f"{named}{gone}"
        hint = f"SoftHSM reads them from SOFTHSM2_CONF: {where}"
    return ConfigurationError("pkcs11.not-started", what, where=module, hint=hint)


def _failed(failure: Exception, which: TokenKey) -> ConfigurationError:
    name = type(failure).__name__
    what = f"the token could not do it ({name})"
    hint = "guard --debug shows its error; the token may not have this algorithm"
    return ConfigurationError("pkcs11.failed", what, where=which.token, hint=hint)
