"""A signer whose key is elsewhere: a key service, a hardware module, another process.

The caller gives a chain and a function. Each of its answers is held against the certificate before it
is used, so a wrong key, a service that signs a digest of a digest, or one that answers in another form is
told at once and by name, not by whoever verifies the file later.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from provenance.errors import ConfigurationError, Error
from provenance.manifest.signers import SELF_TEST, algorithm_of, as_raw, fits, leaf_of, mismatch

if TYPE_CHECKING:
    from collections.abc import Callable

_ECDSA = ("es256", "es384", "es512")


class CallbackSigner:
    """Signs by calling ``sign``, with the bytes to be signed (not their digest).

    ECDSA signatures may come as r ‖ s or as DER. Before its first signature it asks for one over a fixed
    text and checks that; nothing of a claim reaches a key that does not fit. One signature at a time.

    Args:
        chain: certificates as PEM, the signer's first.
        sign: gives the signature over its argument.

    Raises:
        ConfigurationError: ``signer.bad-chain``, ``signer.unsupported-key``.
    """

    __slots__ = ("__weakref__", "_ask", "_lock", "_tested", "algorithm", "chain", "leaf")

    def __init__(self, *, chain: bytes, sign: Callable[[bytes], bytes]) -> None:
        self.leaf = leaf_of(chain)
        self.chain = chain
        self.algorithm = algorithm_of(self.leaf.public_key())
        self._ask, self._lock, self._tested = sign, threading.Lock(), False

    def __repr__(self) -> str:
        """Says nothing of where the key is."""
        return f"CallbackSigner({self.algorithm})"

    def self_test(self) -> None:
        """Make sure that the key answers and is the certificate's; ``sign`` does so once by itself.

        Raises:
            ConfigurationError: ``signer.callback-failed``, with what the callback raised as its cause;
                ``signer.key-mismatch``; or an ``Error`` of the callback's own, unchanged.
        """
        with self._lock:
            self._test()

    def sign(self, data: bytes) -> bytes:
        """Signature over ``data``; ECDSA as r ‖ s.

        Raises:
            ConfigurationError: as ``self_test``.
        """
        with self._lock:
            if not self._tested:
                self._test()
            return self._checked(data)

    def _test(self) -> None:
        self._checked(SELF_TEST)
        self._tested = True

    def _checked(self, data: bytes) -> bytes:
        answer = self._answer(data)
        for signature in self._readings(answer):
            if fits(self.leaf, self.algorithm, signature, data):
                return signature
        raise mismatch()

    def _answer(self, data: bytes) -> bytes:
        try:
            answer: object = self._ask(data)
        except Error:
            raise  # has a code and a hint of its own
        except Exception as error:  # whatever a stranger's code raises; kept as the cause
            what = f"the key could not be asked for a signature ({type(error).__name__})"
            hint = "guard --debug shows the error of the key service itself"
            raise ConfigurationError("signer.callback-failed", what, hint=hint) from error
        if not isinstance(answer, bytes | bytearray):
            what = f"the key answered with {type(answer).__name__}, not with bytes"
            raise ConfigurationError("signer.callback-failed", what)
        return bytes(answer)

    def _readings(self, answer: bytes) -> tuple[bytes, ...]:
        """The forms in which the answer may be a signature; the certificate decides which it is."""
        if self.algorithm not in _ECDSA:
            return (answer,)
        try:
            return answer, as_raw(answer, self.algorithm)
        except ValueError:
            return (answer,)
