"""A signing key in Google Cloud KMS: bytes on standard input, the signature on standard output.

KMS_KEY_VERSION is ``projects/…/cryptoKeyVersions/1``, GOOGLE_TOKEN what
``gcloud auth print-access-token`` prints.
"""

import base64
import hashlib
import json
import os
import sys
from urllib.request import Request, urlopen

HASHES = {"es256": "sha256", "es384": "sha384", "ps256": "sha256"}  # of the key version; there is no P-521


def sign(data: bytes, algorithm: str) -> bytes:
    """ECDSA as DER; the service gets a digest, but for Ed25519, which signs the bytes themselves."""
    asked: dict[str, object] = {"data": base64.b64encode(data).decode()}
    if algorithm in HASHES:
        digest = hashlib.new(HASHES[algorithm], data).digest()
        asked = {"digest": {HASHES[algorithm]: base64.b64encode(digest).decode()}}
    service = os.environ.get("KMS_ENDPOINT", "https://cloudkms.googleapis.com")
    address = f"{service}/v1/{os.environ['KMS_KEY_VERSION']}:asymmetricSign"
    headers = {"Authorization": f"Bearer {os.environ['GOOGLE_TOKEN']}", "Content-Type": "application/json"}
    with urlopen(Request(address, json.dumps(asked).encode(), headers), timeout=20) as answer:
        return base64.b64decode(json.load(answer)["signature"])


if __name__ == "__main__":
    sys.stdout.buffer.write(sign(sys.stdin.buffer.read(), os.environ["GUARD_ALGORITHM"]))
