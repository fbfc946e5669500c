"""Bytes, manifest, signer and time are told apart; so is a mark that the manifest names and nobody finds."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PIL import Image

from guard.api import verify_asset, verify_file
from guard.verdict import QUESTIONS, State
from provenance.codecs import read_asset
from provenance.evidence import Outcome
from provenance.manifest.reading import SoftBinding
from provenance.manifest.sign import sign
from provenance.manifest.spec import ManifestSpec
from provenance.media import Asset


def told(verdict) -> dict[str, tuple[Outcome, str]]:
    assert tuple(answer.question for answer in verdict.answers) == QUESTIONS
    return {answer.question: (answer.outcome, answer.text) for answer in verdict.answers}


def changed(path, place: bytes | int) -> Asset:
    data = bytearray(path.read_bytes())
    at = place if isinstance(place, int) else data.index(place) + 2
    data[at] ^= 1
    return Asset.of(bytes(data), read_asset(path).mime)


def test_changed_pixels_leave_the_manifest_sound(home, signed):
    verdict = verify_asset(changed(signed[".jpg"], -1000), home=home)
    said = told(verdict)
    assert verdict.state is State.TAMPERED
    assert said["bytes"][0] is Outcome.CONTRADICTS
    assert said["manifest"] == (Outcome.SUPPORTS, "as it was signed, for other bytes than these")
    assert said["time"][0] is Outcome.NOT_CHECKED


def test_a_changed_assertion_leaves_the_bytes_undecided(home, signed):
    verdict = verify_asset(changed(signed[".jpg"], b"Test model"), home=home)
    said = told(verdict)
    assert verdict.state is State.TAMPERED
    assert said["bytes"][0] is Outcome.INCONCLUSIVE
    assert said["manifest"][0] is Outcome.CONTRADICTS


def test_a_signer_is_named_with_certificate_and_validity(home, signed):
    said = told(verify_file(signed[".png"], home=home))
    chain = home.signer().leaf
    assert (
        f"valid {chain.not_valid_before_utc:%Y-%m-%d} to {chain.not_valid_after_utc:%Y-%m-%d}"
        in said["signer"][1]
    )
    assert "[development]" in said["signer"][1]


def test_a_time_that_nobody_proves_is_followed_by_the_log_that_the_file_quotes(
    home, tools, photograph, tmp_path
):
    """The first release quotes an empty log, which dates nothing; the second quotes the first one."""
    from guard.api import release_file

    Image.fromarray(photograph).save(tmp_path / "a.png")
    for name in ("one.png", "two.png"):
        release_file(tmp_path / "a.png", tmp_path / name, source="generated", home=home)
    first, second = (told(verify_file(tmp_path / name, home=home))["time"] for name in ("one.png", "two.png"))
    assert first[0] is second[0] is Outcome.INCONCLUSIVE
    assert "as it claims, not proven" in first[1]
    assert "quotes the log" not in first[1]
    assert f"quotes the log {tools.log.verifier.name} at " in second[1]


@pytest.fixture
def named_only(home, tools, photograph, tmp_path):
    """A picture without a mark, under a manifest that names one."""
    Image.fromarray(photograph).save(tmp_path / "bare.png")
    binding = SoftBinding(algorithm="org.mediaguard.tile.1", value="00" * 8)
    spec = ManifestSpec(title="bare", claim_generator_version="0", soft_binding=binding, watermarked=True)
    made = sign(read_asset(tmp_path / "bare.png"), spec, tools.signer, trust=tools.trust).asset
    return replace(made)


def test_a_mark_that_the_manifest_names_and_nobody_finds_is_said(home, named_only):
    assert told(verify_asset(named_only, home=home))["mark"][0] is Outcome.NOT_CHECKED
    verdict = verify_asset(named_only, home=home, marks=True)
    outcome, text = told(verdict)["mark"]
    assert verdict.state is State.DEVELOPMENT
    assert outcome is Outcome.INCONCLUSIVE
    assert "the manifest names a mark" in text


def test_pixels_with_another_files_mark_are_a_conflict(home, tools, signed):
    """The transplant alarm: another picture's marked pixels under a manifest that names its own mark."""
    marked = Image.open(signed[".png"])
    bare = signed[".png"].with_name("moved.png")
    marked.save(bare)
    binding = SoftBinding(algorithm="org.mediaguard.tile.1", value="ff" * 8)
    spec = ManifestSpec(title="moved", claim_generator_version="0", soft_binding=binding, watermarked=True)
    made = sign(read_asset(bare), spec, tools.signer, trust=tools.trust).asset
    verdict = verify_asset(made, home=home, marks=True)
    assert verdict.state is State.CONFLICT
    assert "one was moved here" in verdict.reason


def test_without_an_installation_marks_asked_for_are_said_not_to_be_checked(signed, tmp_path):
    from guard.home import Home

    verdict = verify_file(signed[".png"], home=Home(folder=tmp_path / "nowhere"), marks=True)
    outcome, text = told(verdict)["mark"]
    assert outcome is Outcome.NOT_CHECKED
    assert "--marks" not in text
