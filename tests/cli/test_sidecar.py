"""``guard sign --sidecar``: the file stays as it came, and its manifest lies beside it."""

from __future__ import annotations

import importlib
import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from guard.api import verify_file
from guard.home import Home
from guard.recovery import mend_interrupted
from guard.verdict import State
from provenance.errors import InputError
from provenance.manifest.formats import MIMES
from provenance.manifest.reading import DigitalSourceType
from provenance.sniff import extension_for

SAID = ("--source", "generated", "--model-name", "Some API 2")
SHORT = ("image/jpeg", "video/mp4", "application/pdf", "audio/wav")
UNREADABLE = ("media.damaged", "media.unreadable")
LOOKED_AT = ("image/png", "image/jpeg", "image/webp", "image/tiff", "image/gif", "image/avif")


@pytest.fixture
def sample(monkeypatch, tmp_path):
    monkeypatch.syspath_prepend(str(Path(__file__).parents[2] / "benchmarks"))
    made = importlib.import_module("_every_format")

    def write(mime: str) -> Path:
        path = tmp_path / f"in{extension_for(mime)}"
        path.write_bytes(made.one_of(mime).data)
        return path

    return write


@pytest.fixture
def beside(guard_cli, home, sample, tmp_path):
    """Signs a sample of this type; the new file, its manifest and what was said."""

    def make(mime: str) -> tuple[Path, Path, dict]:
        source = sample(mime)
        output = tmp_path / f"out{source.suffix}"
        ran = guard_cli("sign", source, *SAID, "--sidecar", "-o", output, "--format", "json")
        assert ran.code == 0, ran.err
        (told,) = json.loads(ran.out)["released"]
        return output, Path(told["sidecar"]), told

    return make


@pytest.mark.parametrize(
    "mime", [pytest.param(one, marks=() if one in SHORT else pytest.mark.slow) for one in MIMES]
)
def test_not_a_byte_changes_and_the_manifest_beside_it_is_found(beside, home, mime, tmp_path):
    output, manifest, told = beside(mime)
    assert output.read_bytes() == (tmp_path / f"in{output.suffix}").read_bytes()
    assert manifest.name == ("out.c2pa" if mime == "video/webm" else output.name + ".c2pa")
    assert told["watermark_db"] is None

    verdict = verify_file(output, home=home)
    assert verdict.state is State.DEVELOPMENT
    reading = verdict.manifest
    assert reading.sidecar
    assert reading.source_type is DigitalSourceType.TRAINED_ALGORITHMIC_MEDIA
    looked_at = mime in LOOKED_AT or mime.startswith("video/")
    assert (reading.digest_assertion is not None) is looked_at
    (entry,) = home.registry().by_asset(verdict.asset_sha256)
    assert (entry.state, entry.manifest) == ("released", manifest.read_bytes())

    data = bytearray(output.read_bytes())
    data[-1] ^= 1
    output.write_bytes(data)
    changed = _state(output, home)
    assert changed is State.TAMPERED or (mime not in SHORT and changed in UNREADABLE)
    output.write_bytes((tmp_path / f"in{output.suffix}").read_bytes())
    manifest.unlink()
    assert verify_file(output, home=home).state is State.NO_CREDENTIALS


def _state(path: Path, home: Home) -> State | str:
    """What verify comes to; a change may leave no readable file of its kind."""
    try:
        return verify_file(path, home=home).state
    except InputError as error:
        return error.code


def test_people_are_told_what_has_to_travel(guard_cli, home, sample):
    sample("image/jpeg")
    ran = guard_cli("sign", "in.jpg", *SAID, "--sidecar", "-o", "out.jpg")
    assert (ran.code, ran.out) == (0, "out.jpg\n"), ran.err
    assert "out.jpg.c2pa, which has to travel with out.jpg" in ran.err
    assert "it was signed as it came, and carries no mark" in ran.err
    assert "stands in the .c2pa file beside it alone" in ran.err
    assert "IPTC" not in ran.err, "no label is claimed that was not written"
    again = guard_cli("verify", "out.jpg")
    assert "read from the file beside this one" in again.out


def test_an_existing_sidecar_is_not_replaced_unasked(guard_cli, home, sample, tmp_path):
    sample("image/jpeg")
    (tmp_path / "out.jpg.c2pa").write_bytes(b"somebody's")
    ran = guard_cli("sign", "in.jpg", *SAID, "--sidecar", "-o", "out.jpg")
    assert ran.code == 2
    assert "error[output.exists]" in ran.err
    assert (tmp_path / "out.jpg.c2pa").read_bytes() == b"somebody's"
    assert not (tmp_path / "out.jpg").exists()
    ran = guard_cli("sign", "in.jpg", *SAID, "--sidecar", "-o", "out.jpg", "--force")
    assert ran.code == 0
    assert verify_file(tmp_path / "out.jpg", home=home).state is State.DEVELOPMENT


def test_a_manifest_inside_would_hide_the_one_beside(guard_cli, home, sample, tmp_path):
    sample("image/jpeg")
    assert guard_cli("sign", "in.jpg", *SAID, "-o", "signed.jpg").code == 0
    ran = guard_cli("sign", "signed.jpg", *SAID, "--sidecar", "-o", "out.jpg")
    assert ran.code == 2
    assert "error[sign.manifest-inside]" in ran.err
    assert sorted(path.name for path in tmp_path.glob("*.*")) == ["in.jpg", "signed.jpg"]


def test_what_its_xmp_says_cannot_be_put_right_and_is_not_signed_over(guard_cli, home, photograph, tmp_path):
    from PIL import Image

    from provenance.media import Asset
    from provenance.metadata.xmp import describe

    Image.fromarray(photograph[:128, :128]).save(tmp_path / "in.png")
    plain = Asset.of((tmp_path / "in.png").read_bytes(), "image/png")
    labelled = describe(plain, source_type=DigitalSourceType.COMPOSITE_WITH_TRAINED_ALGORITHMIC_MEDIA)
    (tmp_path / "in.png").write_bytes(labelled.data)
    ran = guard_cli("sign", "in.png", *SAID, "--sidecar", "-o", "out.png")
    assert ran.code == 2
    assert "error[source.contradicted]" in ran.err
    partly = ("--source", "partly-generated")
    assert guard_cli("sign", "in.png", *partly, "--sidecar", "-o", "out.png").code == 0
    verdict = verify_file(tmp_path / "out.png", home=home)
    assert (verdict.state, verdict.conflicts) == (State.DEVELOPMENT, ())


def test_metadata_that_stay_are_named(guard_cli, home, photograph, tmp_path):
    from PIL import Image
    from PIL.PngImagePlugin import PngInfo

    text = PngInfo()
    text.add_text("parameters", "a zebra-striped lighthouse keeper\nSteps: 20, Sampler: Euler a")
    Image.fromarray(photograph[:128, :128]).save(tmp_path / "in.png", pnginfo=text)
    ran = guard_cli("sign", "in.png", *SAID, "--sidecar", "-o", "out.png")
    assert ran.code == 0, ran.err
    assert "its metadata stay as they came" in ran.err
    assert "zebra" not in ran.err
    assert b"zebra" not in (tmp_path / "out.png.c2pa").read_bytes()


@pytest.mark.parametrize("step", ["written", "decision logged"])
def test_a_killed_run_is_mended_with_its_sidecar(home, sample, step, tmp_path):
    code = f"""
import os, signal, sys
from pathlib import Path
sys.path[:0] = {sys.path!r}
from guard.home import Home
from guard.intake import Statement, release_asset
from guard.plan import ask
from guard.policy.rule import Stage
from guard.tools import assemble
from provenance.codecs import read_asset
from provenance.manifest.reading import DigitalSourceType
tools = assemble(Home(folder=Path({str(home.folder)!r})))
said = Statement(source_type=DigitalSourceType.TRAINED_ALGORITHMIC_MEDIA)
plan = ask(Stage.PLAN, said.origin(), tools, command="sign").obligations
def die(step):
    if step == {step!r}:
        os.kill(os.getpid(), signal.SIGKILL)
release_asset(read_asset(Path({str(sample("image/jpeg"))!r})), said, tools, plan=plan,
    command="sign", output=Path({str(tmp_path / "out.jpg")!r}), untouched=True, progress=die)
"""
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
    assert ran.returncode == -signal.SIGKILL, ran.stderr
    assert list(tmp_path.glob("out*")) == []
    mended = Home(folder=home.folder)
    mend_interrupted(mended.records(), mended.log(), mended.registry())
    left = sorted(path.name for path in tmp_path.glob("out*"))
    assert left == (["out.jpg", "out.jpg.c2pa"] if step == "decision logged" else [])
    if left:
        assert verify_file(tmp_path / "out.jpg", home=home).state is State.DEVELOPMENT
