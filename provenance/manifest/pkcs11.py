"""A signer whose key is on a hardware token, reached by PKCS 11, which never gives the key out.

What the token is asked for is the same on all of them: ECDSA over a digest made here, RSA-PSS with SHA-256,
EdDSA. Every answer is held against the certificate, as that of any key that is elsewhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, unquote, unquote_to_bytes

from provenance.errors import InputError
from provenance.manifest.callback import CallbackSigner
from provenance.manifest.signers import algorithm_of, leaf_of

if TYPE_CHECKING:
    from collections.abc import Callable

_ID = "id:"


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenKey:
    """Which private key.

    Attributes:
        module: path of the token's PKCS 11 library.
        token: label of the token.
        key: label of the key, or ``id:`` and its id in hexadecimal digits.
    """

    module: str
    token: str
    key: str

    @property
    def label(self) -> str | None:
        """The label of the key, where it is named by that."""
        return None if self.key.startswith(_ID) else self.key

    @property
    def id(self) -> bytes | None:
        """The id of the key, where it is named by that.

        Raises:
            InputError: ``pkcs11.bad-uri`` when it is not in hexadecimal digits.
        """
        if not self.key.startswith(_ID):
            return None
        try:
            return bytes.fromhex(self.key.removeprefix(_ID))
        except ValueError as error:
            raise _bad("the id of a key is given in hexadecimal digits") from error

    @classmethod
    def of(cls, uri: str) -> TokenKey:
        """The key that a PKCS 11 URI names (RFC 7512): ``pkcs11:token=…;object=…?module-path=…``.

        ``id=%01`` may stand in the place of ``object``. A PIN in it is refused: other users of the machine
        can read command lines.

        Raises:
            InputError: ``pkcs11.bad-uri``.
        """
        scheme, _, rest = uri.partition(":")
        path, _, query = rest.partition("?")
        said = dict(part.partition("=")[::2] for part in path.split(";") if part)
        asked = dict(parse_qsl(query))
        if scheme != "pkcs11" or {"pin-value", "pin-source"} & {*asked, *said}:
            raise _bad(
                "a key on a token is named by pkcs11:token=LABEL;object=LABEL?module-path=FILE, no PIN"
            )
        if unknown := sorted({*said} - {"token", "object", "id", "type"}):
            raise _bad(f"{unknown[0][:40]!r} is not looked at; a key is named by token and object, or id")
        key = unquote(said.get("object", ""))
        if not key and said.get("id"):
            key = _ID + unquote_to_bytes(said["id"]).hex()
        if not (key and said.get("token") and asked.get("module-path")):
            raise _bad("the URI of a key needs token, object (or id) and module-path")
        return cls(module=asked["module-path"], token=unquote(said["token"]), key=key)


class Pkcs11Signer(CallbackSigner):
    """Signs with a key on a token; the token is first asked when something is to be signed.

    Args:
        chain: certificates as PEM, the signer's first.
        key: where it is.
        pin: gives the PIN; called once, when the token is opened. None: the token has its own key pad.

    Raises:
        ConfigurationError: as ``CallbackSigner``; of ``sign``: ``extra.missing``, ``pkcs11.module``,
            ``pkcs11.token``, ``pkcs11.key``, ``pkcs11.pin-wrong``, ``pkcs11.pin-locked``,
            ``pkcs11.failed``, ``pkcs11.not-started``, ``signer.key-mismatch``.
    """

    __slots__ = ("key",)

    def __init__(self, *, chain: bytes, key: TokenKey, pin: Callable[[], bytes] | None = None) -> None:
        from provenance.manifest.pkcs11_adapter import TokenSession  # noqa: PLC0415 - loads the library

        self.key = key
        session, algorithm = TokenSession(key=key, pin=pin), algorithm_of(leaf_of(chain).public_key())
        super().__init__(chain=chain, sign=lambda data: session.sign(data, algorithm))

    def __repr__(self) -> str:
        """The token, not the key."""
        return f"Pkcs11Signer({self.algorithm}, token {self.key.token!r})"


def _bad(what: str) -> InputError:
    return InputError("pkcs11.bad-uri", what, hint="the tool p11tool lists the URIs of keys")
