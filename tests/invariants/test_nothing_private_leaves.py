"""Promise 2: no output holds prompt text, an unkeyed digest of it, key material, a user or a host name."""

from __future__ import annotations

import base64
import getpass
import hashlib
import json
import socket
from pathlib import Path

from guard.serialise import to_json
from guard.verify import verify
from provenance.codecs import read_asset

PROMPT = "a zebra-striped lighthouse keeper"


def outputs(home, generated) -> dict[str, bytes]:
    """Everything that leaves or may be published: media, their names, log, registry, verdicts, decisions."""
    found = {f"name of {one.path.name}": one.path.name.encode() for one in generated}
    found |= {str(one.path): one.path.read_bytes() for one in generated}
    found |= {str(path): path.read_bytes() for path in home.log_folder.rglob("*") if path.is_file()}
    found |= {str(path): path.read_bytes() for path in home.folder.glob("registry.sqlite*")}
    for one in generated:
        found[f"decision on {one.path.name}"] = one.decision.canonical()
        seen = verify(read_asset(one.path), trust=home.trust(), at=one.decision.now)
        found[f"verdict on {one.path.name}"] = json.dumps(to_json(seen)).encode()
    return found


def derived_from(text: str) -> dict[str, bytes]:
    """The words and what a careless program would write in their place."""
    words = {f"word {word!r}": word.encode() for word in ("zebra", "lighthouse", "keeper")}
    for name in ("md5", "sha1", "sha256", "sha512", "blake2b"):
        for form in (text, text.lower(), json.dumps(text)):
            digest = hashlib.new(name, form.encode()).digest()
            words |= {f"{name} of {form!r}": digest, f"{name} hex": digest.hex().encode()}
            words |= {f"{name} base64": base64.b64encode(digest)[:-2]}
    return words


def test_no_output_holds_the_prompt_or_a_digest_of_it(home, generated):
    for place, data in outputs(home, generated).items():
        for what, needle in derived_from(PROMPT).items():
            assert needle not in data, f"{what} stands in {place}"


def test_no_output_holds_key_material(home, generated):
    locator = json.loads(home.locator_path.read_text())
    log_key = json.loads(home.log_key_path.read_text())
    pem = (home.signing_folder / "key.pem").read_bytes().splitlines()[1]
    records = [json.loads(path.read_text()) for path in home.records_folder.glob("*.json")]
    secrets = [
        pem,
        *(value.encode() for kept in (locator, log_key) for value in texts(kept) if len(value) > 40),
    ]
    secrets += [record["commitment_key"].encode() for record in records]
    assert len(secrets) >= 4
    for place, data in outputs(home, generated).items():
        for secret in secrets:
            assert secret not in data, place


def texts(kept: dict) -> list[str]:
    return [value for value in kept.values() if isinstance(value, str)]


def test_no_output_names_the_user_the_host_or_a_folder(home, generated, tmp_path):
    names = [getpass.getuser(), socket.gethostname(), str(tmp_path), tmp_path.parent.name]
    for place, data in outputs(home, generated).items():
        if place.startswith(("name of", str(home.log_folder), "decision", "verdict")):
            for name in (name for name in names if len(name) > 4):
                assert name.encode() not in data, place


def test_the_prompt_is_kept_in_a_private_record_only_its_owner_reads(home, generated):
    paths = list(home.records_folder.glob("*.json"))
    assert len(paths) == len(generated)
    for path in paths:
        assert path.stat().st_mode & 0o077 == 0
        assert json.loads(path.read_text())["prompt"] == PROMPT


def test_the_commitment_opens_with_the_record_and_with_nothing_else(home, generated):
    from guard.records import Records
    from provenance.canonical import commitment
    from provenance.manifest.read import read_manifest

    records = Records(folder=home.records_folder)
    known = {r.content_id: r for r in (records.read(p.stem) for p in home.records_folder.glob("*.json"))}
    for one in generated:
        reading = read_manifest(read_asset(one.path), home.trust())
        record = known[reading.content_id]
        said = {"recipe": record.recipe, "prompt": PROMPT, "negative_prompt": ""}
        assert reading.recipe_commitment == commitment(bytes.fromhex(record.commitment_key), said)
        assert reading.recipe_commitment != commitment(b"\0" * 32, said)


def test_include_prompt_puts_it_there_because_its_author_asked(home, tools, simulator, tmp_path: Path):
    from generators.request import GenerationRequest
    from guard.generate import approve, generate

    (tmp_path / "said").mkdir()
    request = GenerationRequest(prompt=PROMPT, seeds=(1,), model="simulated:1")
    approved = approve(request, tools, publish_prompt=True)
    (one,) = generate(approved, simulator, tools, folder=tmp_path / "said")
    assert b"lighthouse" in one.path.read_bytes()
    assert "default.prompt-in-manifest" in {warned.rule for warned in one.decision.warnings}
