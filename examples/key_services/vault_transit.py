"""A signing key in HashiCorp Vault (transit): bytes on standard input, the signature on standard output.

VAULT_ADDR and VAULT_TOKEN as for Vault's own tools, VAULT_KEY the name of the key in ``transit/``.
"""

import base64
import hashlib
import json
import os
import sys
from urllib.request import Request, urlopen

HASHES = {"es256": "256", "es384": "384", "es512": "512", "ps256": "256"}


def sign(data: bytes, algorithm: str) -> bytes:
    """ECDSA as DER; Vault gets a digest, but for Ed25519, which signs the bytes themselves."""
    asked: dict[str, object] = {"input": base64.b64encode(data).decode()}
    if algorithm in HASHES:
        digest = hashlib.new(f"sha{HASHES[algorithm]}", data).digest()
        asked = {"input": base64.b64encode(digest).decode(), "prehashed": True}
        asked |= {"hash_algorithm": f"sha2-{HASHES[algorithm]}", "marshaling_algorithm": "asn1"}
        asked |= {"signature_algorithm": "pss", "salt_length": "hash"} if algorithm == "ps256" else {}
    address = f"{os.environ['VAULT_ADDR']}/v1/transit/sign/{os.environ['VAULT_KEY']}"
    headers = {"X-Vault-Token": os.environ["VAULT_TOKEN"], "Content-Type": "application/json"}
    with urlopen(Request(address, json.dumps(asked).encode(), headers), timeout=20) as answer:
        signature = json.load(answer)["data"]["signature"]  # vault:v1:BASE64
    return base64.b64decode(signature.rpartition(":")[2])


if __name__ == "__main__":
    sys.stdout.buffer.write(sign(sys.stdin.buffer.read(), os.environ["GUARD_ALGORITHM"]))
