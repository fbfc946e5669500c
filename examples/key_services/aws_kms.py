"""A signing key in AWS KMS: AWS_REGION, AWS_KMS_KEY and the usual AWS_… credentials in the environment."""

import base64
import hashlib
import hmac
import json
import os
import sys
from datetime import UTC, datetime
from urllib.request import Request, urlopen

ALGORITHMS = {f"es{size}": f"ECDSA_SHA_{size}" for size in (256, 384, 512)} | {"ps256": "RSASSA_PSS_SHA_256"}


def signature_v4(secret: str, scope: list[str], headers: dict[str, str], body: bytes) -> str:
    """AWS Signature Version 4 of a POST to ``/``; ``scope`` is date, region, service."""
    lines = "".join(f"{name}:{value}\n" for name, value in headers.items())
    asked = f"POST\n/\n\n{lines}\n{';'.join(headers)}\n{hashlib.sha256(body).hexdigest()}"
    key, scope = f"AWS4{secret}".encode(), [*scope, "aws4_request"]
    told = f"{headers['x-amz-date']}\n{'/'.join(scope)}\n{hashlib.sha256(asked.encode()).hexdigest()}"
    for part in (*scope, f"AWS4-HMAC-SHA256\n{told}"):
        key = hmac.digest(key, part.encode(), "sha256")
    return key.hex()


def sign(data: bytes, algorithm: str) -> bytes:
    """ECDSA as DER; the service gets a digest."""
    told, digest = os.environ, hashlib.new(f"sha{ALGORITHMS[algorithm][-3:]}", data).digest()
    asked = {"KeyId": told["AWS_KMS_KEY"], "Message": base64.b64encode(digest).decode()}
    body = json.dumps(asked | {"MessageType": "DIGEST", "SigningAlgorithm": ALGORITHMS[algorithm]}).encode()
    service = told.get("AWS_ENDPOINT_URL_KMS", f"https://kms.{told['AWS_REGION']}.amazonaws.com")
    now = f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
    headers = {"content-type": "application/x-amz-json-1.1", "host": service.partition("//")[2]}
    headers |= {"x-amz-date": now, "x-amz-security-token": told.get("AWS_SESSION_TOKEN", "")}
    headers = {name: value for name, value in headers.items() if value} | {
        "x-amz-target": "TrentService.Sign"
    }
    scope = [now[:8], told["AWS_REGION"], "kms"]
    proof = signature_v4(told["AWS_SECRET_ACCESS_KEY"], scope, headers, body)
    who = f"Credential={told['AWS_ACCESS_KEY_ID']}/{'/'.join(scope)}/aws4_request"
    claim = f"AWS4-HMAC-SHA256 {who}, SignedHeaders={';'.join(headers)}, Signature={proof}"
    with urlopen(Request(f"{service}/", body, headers | {"Authorization": claim}), timeout=20) as answer:
        return base64.b64decode(json.load(answer)["Signature"])


if __name__ == "__main__":
    sys.stdout.buffer.write(sign(sys.stdin.buffer.read(), os.environ["GUARD_ALGORITHM"]))
