"""``guard sign`` and ``guard verify`` on files that leave as they came, and on manifests beside files."""

from __future__ import annotations

import importlib
import json
import shutil
from pathlib import Path

import pytest

from guard.api import verify_file
from guard.intake import Statement, draft_of, release_asset
from guard.kept import KEPT, Kept
from guard.plan import ask
from guard.policy.fact import Kind
from guard.policy.rule import Stage
from guard.verdict import State
from provenance.codecs import read_asset
from provenance.errors import InputError
from provenance.manifest.reading import DigitalSourceType
from provenance.manifest.sign import sign
from provenance.sniff import extension_for

GENERATED = Statement(source_type=DigitalSourceType.TRAINED_ALGORITHMIC_MEDIA)


@pytest.fixture
def sample(monkeypatch, tmp_path):
    monkeypatch.syspath_prepend(str(Path(__file__).parents[2] / "benchmarks"))
    made = importlib.import_module("_every_format")

    def write(mime: str, name: str | None = None) -> Path:
        path = tmp_path / (name or f"in{extension_for(mime)}")
        path.write_bytes(made.one_of(mime).data)
        return path

    return write


@pytest.fixture
def signed(tools, sample, tmp_path):
    def make(mime: str, statement: Statement = GENERATED, path: Path | None = None, kind: Kind = Kind.IMAGE):
        asset = read_asset(path or sample(mime))
        plan = ask(Stage.PLAN, statement.origin(), tools, command="sign", kind=kind).obligations
        output = tmp_path / f"out{extension_for(mime)}"
        return release_asset(asset, statement, tools, plan=plan, command="sign", output=output, force=True)

    return make


@pytest.mark.parametrize("mime", KEPT)
def test_signed_as_it_came_logged_and_verified(signed, home, mime):
    released = signed(mime)
    assert released.leaves == (0, 1)
    assert any("get no XMP" in line for line in released.warnings)
    verdict = verify_file(released.path, home=home)
    assert verdict.state is State.DEVELOPMENT
    reading = verdict.evidence[0].detail
    assert reading.source_type is DigitalSourceType.TRAINED_ALGORITHMIC_MEDIA
    seen = mime in ("image/gif", "image/avif")
    assert (reading.digest_assertion is not None) is seen, (
        "a content digest where there is a picture to look at"
    )
    assert not reading.soft_bindings
    assert any("could not be compared" in line for line in verdict.not_checked) is not seen


def test_an_animation_is_signed_without_having_been_looked_at(signed, tmp_path):
    from PIL import Image

    frames = [Image.new("RGB", (20, 20), colour) for colour in ("red", "green")]
    frames[0].save(tmp_path / "moving.gif", save_all=True, append_images=frames[1:])
    draft = draft_of(read_asset(tmp_path / "moving.gif"), GENERATED)
    assert draft.frames == Kept(asset=draft.frames.asset)
    assert signed("image/gif", path=tmp_path / "moving.gif").path.exists()


def test_what_was_generated_does_not_leave_again_as_a_recording(signed):
    first = signed("audio/mpeg", kind=Kind.AUDIO)
    captured = Statement(source_type=DigitalSourceType.DIGITAL_CAPTURE)
    with pytest.raises(InputError) as caught:
        signed("audio/mpeg", captured, path=first.path, kind=Kind.AUDIO)
    assert caught.value.code == "source.contradicted"
    again = signed("audio/mpeg", path=first.path, kind=Kind.AUDIO)
    assert [node.problem for node in again.signed.reading.ingredients] == [False]


def test_a_changed_document_is_not_signed_over(signed, tmp_path):
    path = signed("application/pdf", kind=Kind.DOCUMENT).path
    path.write_bytes(path.read_bytes().replace(b"Page of seed 0", b"Page of greed "))
    with pytest.raises(InputError) as caught:
        signed("application/pdf", path=path, kind=Kind.DOCUMENT)
    assert caught.value.code == "source.tampered"


def test_on_the_command_line(guard_cli, home, sample, tmp_path):
    sample("application/pdf")
    ran = guard_cli("release", "in.pdf", "--source", "generated", "-o", "out")
    assert (ran.code, ran.err.splitlines()[-1].strip()) == (
        2,
        "help: guard sign FILE signs it as it is, without a mark",
    )
    ran = guard_cli("sign", "in.pdf", "--source", "digital-creation", "-o", "out.pdf")
    assert (ran.code, ran.out) == (0, "out.pdf\n"), ran.err
    assert "signed as they are, and carry no mark" in ran.err
    assert "IPTC" not in ran.err, "no label is claimed that was not written"
    ran = guard_cli("verify", "out.pdf", "--format", "json")
    assert json.loads(ran.out)["verdicts"][0]["state"] == "development"


def test_a_manifest_beside_any_file_is_found_under_its_name(home, sample, tools, spec_beside, tmp_path):
    path = sample("audio/wav", "song.wav")
    for name in ("song.wav.c2pa", "song.c2pa"):
        (tmp_path / name).write_bytes(spec_beside(path))
        assert verify_file(path, home=home).state is State.DEVELOPMENT
        path.write_bytes(path.read_bytes()[:-1] + b"\7")
        assert verify_file(path, home=home).state is State.TAMPERED
        sample("audio/wav", "song.wav")
        (tmp_path / name).unlink()
    assert verify_file(path, home=home).state is State.NO_CREDENTIALS


def test_a_manifest_that_could_be_another_files_is_not_held_against_this_one(
    home, sample, spec_beside, tmp_path
):
    song, picture = sample("audio/wav", "same.wav"), sample("image/gif", "same.gif")
    (tmp_path / "same.c2pa").write_bytes(spec_beside(song))
    assert verify_file(picture, home=home).state is State.NO_CREDENTIALS
    shutil.move(tmp_path / "same.c2pa", tmp_path / "same.wav.c2pa")
    assert verify_file(song, home=home).state is State.DEVELOPMENT
    assert verify_file(picture, home=home).state is State.NO_CREDENTIALS


def test_an_embedded_manifest_comes_before_one_beside(signed, home, spec_beside, sample, tmp_path):
    path = signed("audio/wav", kind=Kind.AUDIO).path
    (tmp_path / "out.wav.c2pa").write_bytes(spec_beside(sample("audio/wav", "other.wav")))
    assert verify_file(path, home=home).state is State.DEVELOPMENT


def test_a_manifest_by_itself_says_what_it_is(guard_cli, home, sample, spec_beside, tmp_path):
    (tmp_path / "alone.c2pa").write_bytes(spec_beside(sample("audio/wav")))
    ran = guard_cli("verify", "alone.c2pa")
    assert ran.code == 2
    assert "error[input.manifest-alone]: this is a manifest by itself, signed by" in ran.err
    assert "[development]" in ran.err, "no name without its tier"


@pytest.fixture
def spec_beside(tools):
    from guard import __version__
    from provenance.manifest.spec import ManifestSpec

    def make(path: Path) -> bytes:
        spec = ManifestSpec(title=path.name, claim_generator_version=__version__)
        made = sign(read_asset(path), spec, tools.signer, trust=tools.trust, embed=False)
        return made.manifest

    return make
