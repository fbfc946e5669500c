"""Whatever is in a file, ``guard verify`` ends with a verdict or a coded error, never with a bug."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from jsonschema import Draft202012Validator

from guard.cli.main import run

SCHEMA = json.loads(
    (Path(__file__).resolve().parents[2] / "docs/reference/verdict.schema.json").read_text(encoding="utf-8")
)
CHANGED = {"tampered", "malformed"}


def damaged(data: bytes, seed: int) -> bytes:
    """Some bytes changed, cut, doubled or put elsewhere; the same for the same seed."""
    random = np.random.default_rng(seed)
    changed = bytearray(data)
    for at in random.integers(0, len(changed), size=int(random.choice([1, 4, 32]))):
        changed[at] = int(random.integers(0, 256))
    if random.random() < 0.2:
        changed = changed[: int(random.integers(1, len(changed)))]
    if random.random() < 0.1:
        start, end = sorted(random.integers(0, len(changed) + 1, size=2))
        changed[start:start] = changed[start:end]
    return bytes(changed)


@pytest.mark.parametrize("suffix", [".png", ".jpg"])
def test_damaged_files_never_end_in_a_bug_nor_pass_as_unsigned(signed, tmp_path, capsys, suffix):
    folder = tmp_path / "damaged"
    folder.mkdir()
    for seed in range(60):
        (folder / f"{seed:03}{suffix}").write_bytes(damaged(signed[suffix].read_bytes(), seed))
    code = run(["verify", "-r", str(folder), "--json", "--tree", "--report", str(tmp_path / "note.html")])
    document = json.loads(capsys.readouterr().out)
    Draft202012Validator(SCHEMA).validate(document)
    assert code in (1, 2)
    assert len(document["verdicts"]) + len(document["errors"]) + len(document.get("skipped", ())) == 60
    assert not [error for error in document["errors"] if error["exit_code"] == 70]
    for verdict in document["verdicts"]:
        assert verdict["state"] in CHANGED | {"development"}, verdict["file"]
    states = [verdict["state"] for verdict in document["verdicts"]]
    assert states.count("development") < 10  # what was changed lies in padding


def test_titles_and_names_from_a_manifest_drive_no_terminal(home, tools, photograph, tmp_path, capsys):
    """The title of a claim comes from whoever signed it."""
    from dataclasses import replace

    from PIL import Image

    from provenance.codecs import read_asset
    from provenance.manifest.reading import SoftBinding
    from provenance.manifest.sign import sign
    from provenance.manifest.spec import ManifestSpec

    Image.fromarray(photograph).save(tmp_path / "a.png")
    spec = ManifestSpec(
        title="\x1b[2J\u202eTRUSTED <script>",
        claim_generator_version="0",
        model_name="evil\nTRUSTED  other.png\x1b[31m",
        soft_binding=SoftBinding(algorithm="org.example\x07", value="00"),
    )
    first = sign(read_asset(tmp_path / "a.png"), spec, tools.signer, trust=tools.trust).asset
    again = sign(first, replace(spec, edited=True), tools.signer, trust=tools.trust).asset
    (tmp_path / "b.png").write_bytes(again.data)
    assert run(["verify", str(tmp_path / "b.png"), "--tree", "--report", str(tmp_path / "n.html")]) in (0, 1)
    shown = capsys.readouterr().out + (tmp_path / "n.html").read_text(encoding="utf-8")
    for sign_ in ("\x1b", "\u202e", "\x07", "<script>"):
        assert sign_ not in shown
    assert not [line for line in shown.splitlines() if line.startswith("TRUSTED")]
