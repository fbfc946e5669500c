"""A publisher who signs whatever they like: edits a published registry and signs it again.

Used by tests alone. Everything that the format lets a malicious publisher do can be done here; what a mere
mirror can do is an edit without ``sign``.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path

from provenance.log.checkpoint import NoteSigner
from provenance.registry_layout import SNAPSHOT, SUMS, listing
from provenance.registry_snapshot import open_snapshot, sign_snapshot


def edit(folder: Path, path: str, change) -> None:
    """Change a JSON file."""
    place = folder / path
    document = json.loads(place.read_bytes())
    change(document)
    put(folder, path, json.dumps(document).encode())


def put(folder: Path, path: str, data: bytes) -> None:
    """Make or replace a file."""
    place = folder / path
    place.parent.mkdir(parents=True, exist_ok=True)
    place.unlink(missing_ok=True)
    place.write_bytes(data)


def sign(folder: Path, signer: NoteSigner, **other) -> None:
    """List every file that lies there now and sign the listing; ``other`` are fields of the snapshot."""
    files = [path for path in folder.rglob("*") if path.is_file() and path.name not in (SNAPSHOT, SUMS)]
    sums = {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}
    sign_listing(folder, signer, listing(sums), len(sums), **other)


def sign_listing(folder: Path, signer: NoteSigner, listed: bytes, files: int, **other) -> None:
    """Sign a listing whatever it says."""
    before = open_snapshot((folder / SNAPSHOT).read_bytes(), signer.verifier)
    put(folder, SUMS, listed)
    after = replace(
        before,
        files=files,
        sums_sha256=hashlib.sha256(listed).hexdigest(),
        sequence=before.sequence + 1,
        **other,
    )
    put(folder, SNAPSHOT, sign_snapshot(after, signer))
