"""Four key services on the loopback: each reads requests as its own documentation says, and signs for real.

What differs between them is what a caller gets wrong: digest or message, DER or r ‖ s, base64 or base64url,
and how one proves who is asking. A request in another form is refused with the status of that service.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
from dataclasses import dataclass, field

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, decode_dss_signature
from simulators.loopback import Answer, Loopback, Refused, Request

SECRET = "t0p-secret"
_JSON = {"Content-Type": "application/json"}
_HASHES = {32: hashes.SHA256(), 48: hashes.SHA384(), 64: hashes.SHA512()}


def _refused(status: int, said: object) -> Refused:
    """The service says no, in JSON."""
    return Refused(status, json.dumps(said).encode(), **_JSON)


def _over_digest(key: object, digest: bytes) -> bytes:
    """DER of ECDSA, or RSA-PSS with a salt as long as the digest."""
    if len(digest) not in _HASHES:
        raise _refused(400, "Digest is invalid length")
    how = Prehashed(_HASHES[len(digest)])
    if isinstance(key, ec.EllipticCurvePrivateKey):
        return key.sign(digest, ec.ECDSA(how))
    return key.sign(digest, padding.PSS(mgf=padding.MGF1(hashes.SHA256()), salt_length=32), how)


def aws(key, headers, path, asked, body) -> dict[str, object]:
    """AWS KMS ``Sign`` with MessageType DIGEST; the request is signed itself (Signature Version 4)."""
    found = re.fullmatch(
        r"AWS4-HMAC-SHA256 Credential=AKID/(\d{8})/eu-west-1/kms/aws4_request, "
        r"SignedHeaders=([a-z0-9;-]+), Signature=([0-9a-f]{64})",
        headers.get("Authorization", ""),
    )
    if not found or path != "/" or headers["X-Amz-Target"] != "TrentService.Sign":
        raise _refused(400, {"__type": "MissingAuthenticationTokenException"})
    day, names, proof = found.groups()
    assert {"host", "x-amz-date", "x-amz-target"} <= set(names.split(";"))
    canonical = ["POST", "/", "", *(f"{name}:{headers[name].strip()}" for name in names.split(";"))]
    canonical += ["", names, hashlib.sha256(body).hexdigest()]
    scope = f"{day}/eu-west-1/kms/aws4_request"
    lines = ["AWS4-HMAC-SHA256", headers["x-amz-date"], scope]
    lines.append(hashlib.sha256("\n".join(canonical).encode()).hexdigest())
    secret = ("AWS4" + SECRET).encode()
    for part in scope.split("/"):
        secret = hmac.new(secret, part.encode(), hashlib.sha256).digest()
    if hmac.new(secret, "\n".join(lines).encode(), hashlib.sha256).hexdigest() != proof:
        raise _refused(403, {"__type": "InvalidSignatureException"})
    digest = base64.b64decode(asked["Message"], validate=True)
    usual = "RSASSA_PSS_SHA_256" if not isinstance(key, ec.EllipticCurvePrivateKey) else "ECDSA_SHA_"
    if asked["MessageType"] != "DIGEST" or not asked["SigningAlgorithm"].startswith(usual):
        raise _refused(400, {"__type": "ValidationException"})
    if int(asked["SigningAlgorithm"][-3:]) != 8 * len(digest) or asked["KeyId"] != "alias/signing":
        raise _refused(400, {"__type": "NotFoundException"})
    return {"KeyId": "arn:aws:kms:…", "Signature": base64.b64encode(_over_digest(key, digest)).decode()}


def google(key, headers, path, asked, _body) -> dict[str, object]:
    """Cloud KMS ``asymmetricSign``: a digest under its name, but the data for Ed25519; DER."""
    _bearer(headers)
    if path != "/v1/projects/p/locations/l/keyRings/r/cryptoKeys/k/cryptoKeyVersions/1:asymmetricSign":
        raise _refused(404, {"error": {"status": "NOT_FOUND"}})
    if isinstance(key, ed25519.Ed25519PrivateKey):
        made = key.sign(base64.b64decode(asked["data"], validate=True))
    else:
        ((name, value),) = asked["digest"].items()
        digest = base64.b64decode(value, validate=True)
        if int(name.removeprefix("sha")) != 8 * len(digest):
            raise _refused(400, {"error": {"status": "INVALID_ARGUMENT"}})
        made = _over_digest(key, digest)
    return {"signature": base64.b64encode(made).decode(), "name": path[4:]}


def azure(key, headers, path, asked, _body) -> dict[str, object]:
    """Key Vault ``sign``: base64url without padding both ways, the digest, and r ‖ s back (RFC 7518)."""
    _bearer(headers)
    if path != "/keys/signing/0123/sign?api-version=7.4" or "=" in asked["value"]:
        raise _refused(404, {"error": {"code": "KeyNotFound"}})
    digest = base64.urlsafe_b64decode(asked["value"] + "==")
    if int(asked["alg"][2:]) != 8 * len(digest):
        raise _refused(400, {"error": {"code": "BadParameter"}})
    made = _over_digest(key, digest)
    if isinstance(key, ec.EllipticCurvePrivateKey):
        size = (key.key_size + 7) // 8
        made = b"".join(number.to_bytes(size, "big") for number in decode_dss_signature(made))
    value = base64.urlsafe_b64encode(made).rstrip(b"=").decode()
    return {"kid": "https://…/keys/signing/0123", "value": value}


def vault(key, headers, path, asked, _body) -> dict[str, object]:
    """Vault's transit engine: the signature carries a version, and is asked for as ASN.1."""
    if headers["X-Vault-Token"] != SECRET or path != "/v1/transit/sign/signing":
        raise _refused(403, {"errors": ["permission denied"]})
    given = base64.b64decode(asked["input"], validate=True)
    if isinstance(key, ed25519.Ed25519PrivateKey):
        made = key.sign(given)
    elif not asked.get("prehashed") or int(asked["hash_algorithm"][-3:]) != 8 * len(given):
        raise _refused(400, {"errors": ["the hash of the input has another length"]})
    else:
        made = _over_digest(key, given)
    return {"data": {"signature": f"vault:v1:{base64.b64encode(made).decode()}", "key_version": 1}}


def _bearer(headers) -> None:
    if headers["Authorization"] != f"Bearer {SECRET}":
        raise _refused(401, {"error": {"status": "UNAUTHENTICATED"}})


@dataclass
class KeyService(Loopback):
    """One of the four, with ``key``."""

    speaks: object
    key: object
    asked: list[dict[str, object]] = field(default_factory=list)

    def respond(self, request: Request) -> Answer:
        self.asked.append(json.loads(request.body))
        said = self.speaks(self.key, request.headers, request.path, self.asked[-1], request.body)
        return Answer(json.dumps(said).encode(), headers=_JSON)

    @property
    def url(self) -> str:
        return self.address
