"""Bad input gets one clear line with a code, a reason and the command that helps; nothing half-written."""

from __future__ import annotations

import os
import re
import struct
import zlib
from pathlib import Path

import pytest
from PIL import Image

from guard.cli.main import run
from guard.codes import CODES

SOURCE = ("--source", "generated")


def assert_told(ran, code: str, exit_code: int) -> None:
    assert ran.code == exit_code, ran
    assert ran.out == ""
    (line,) = [line for line in ran.err.splitlines() if line.startswith("error[")]
    assert line.startswith(f"error[{code}]: "), line
    assert code in CODES, f"guard explain {code} knows nothing"


def picture(path, size=(300, 280)):
    Image.effect_noise(size, 60).convert("RGB").save(path)
    return path


def bomb() -> bytes:
    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    parts = [(b"IHDR", header), (b"IDAT", zlib.compress(bytes(1000))), (b"IEND", b"")]
    chunks = (struct.pack(">I", len(d)) + k + d + struct.pack(">I", zlib.crc32(k + d)) for k, d in parts)
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


@pytest.fixture
def bad(tmp_path):
    good = picture(tmp_path / "good.png").read_bytes()
    files = {
        "truncated.png": good[: len(good) // 2],
        "text.png": b"not a picture at all\n" * 20,
        "empty.png": b"",
        "bomb.png": bomb(),
    }
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    (tmp_path / "folder.png").mkdir()
    return tmp_path


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("text.png", "input.not-media"),
        ("empty.png", "input.empty"),
        ("folder.png", "input.folder"),
        ("missing.png", "input.missing"),
    ],
)
def test_verify_of_what_is_no_media_file(guard_cli, bad, name, code):
    assert_told(guard_cli("verify", name), code, 2)


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("truncated.png", "input.truncated"),
        ("text.png", "input.not-media"),
        ("empty.png", "input.empty"),
        ("folder.png", "input.folder"),
        ("missing.png", "input.missing"),
        ("bomb.png", "input.too-large"),
    ],
)
def test_release_of_what_cannot_be_released(guard_cli, home, bad, name, code):
    ran = guard_cli("release", name, *SOURCE, "-o", "out")
    assert_told(ran, code, 2)
    assert not (bad / "out").exists()


def test_without_a_home_the_command_that_makes_one_is_named(guard_cli, tmp_path):
    picture(tmp_path / "a.png")
    ran = guard_cli("release", "a.png", *SOURCE, "-o", "out")
    assert_told(ran, "home.missing", 2)
    assert "help: guard init" in ran.err


def test_an_existing_output_is_not_replaced(guard_cli, home, tmp_path):
    picture(tmp_path / "a.png")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "a.png").write_text("mine")
    assert_told(guard_cli("release", "a.png", *SOURCE, "-o", "out"), "output.exists", 2)
    assert (tmp_path / "out" / "a.png").read_text() == "mine"


def test_signing_in_place_is_refused_even_with_force(guard_cli, home, tmp_path):
    before = picture(tmp_path / "a.png").read_bytes()
    assert_told(guard_cli("release", "a.png", *SOURCE, "-o", ".", "--force"), "output.is-input", 2)
    assert_told(guard_cli("sign", "a.png", *SOURCE, "-o", "./a.png", "--force"), "output.is-input", 2)
    assert (tmp_path / "a.png").read_bytes() == before


def test_no_original_of_a_batch_is_replaced(guard_cli, home, tmp_path):
    (tmp_path / "sub").mkdir()
    before = picture(tmp_path / "a.png").read_bytes()
    picture(tmp_path / "sub" / "a.png", size=(260, 300))
    ran = guard_cli("release", "a.png", "sub/a.png", *SOURCE, "-o", ".", "--force")
    assert_told(ran, "output.is-input", 2)
    assert (tmp_path / "a.png").read_bytes() == before


def test_two_files_of_one_name_do_not_overwrite_each_other(guard_cli, home, tmp_path):
    for name in ("1", "2"):
        (tmp_path / name).mkdir()
        picture(tmp_path / name / "x.png")
    assert_told(guard_cli("release", "1/x.png", "2/x.png", *SOURCE, "-o", "out"), "output.twice", 2)


@pytest.mark.parametrize("name", ["", "two\nlines", "Famous \x1b[31mModel", "x" * 5000])
def test_a_model_name_that_is_no_name(guard_cli, home, tmp_path, name):
    picture(tmp_path / "a.png")
    ran = guard_cli("release", "a.png", *SOURCE, "--model-name", name, "-o", "out")
    assert_told(ran, "model.bad-name", 2)


def test_a_generated_picture_does_not_leave_as_a_photograph(guard_cli, signed, tmp_path):
    ran = guard_cli("release", signed[".png"], "--source", "digital-capture", "-o", "washed")
    assert_told(ran, "source.contradicted", 2)
    assert guard_cli("release", signed[".png"], "--source", "partly-generated", "-o", "fine").code == 0


def test_a_changed_signed_file_is_not_released(guard_cli, signed, tmp_path):
    data = bytearray(signed[".jpg"].read_bytes())
    data[-1000] ^= 1
    (tmp_path / "changed.jpg").write_bytes(data)
    assert_told(guard_cli("release", "changed.jpg", *SOURCE, "-o", "out"), "source.tampered", 2)


def test_a_changed_file_is_not_told_that_its_bytes_are_what_was_signed(guard_cli, signed, tmp_path):
    data = bytearray(signed[".jpg"].read_bytes())
    data[-1000] ^= 1
    (tmp_path / "changed.jpg").write_bytes(data)
    ran = guard_cli("verify", "changed.jpg")
    assert ran.code == 1
    assert "the bytes are what was signed" not in ran.out


def test_without_its_locator_key_verify_says_so_and_goes_on(guard_cli, signed, home, tmp_path):
    home.locator_path.unlink()
    assert guard_cli("verify", signed[".png"]).code == 0
    picture(tmp_path / "bare.png")
    ran = guard_cli("verify", "bare.png")
    assert ran.code == 3
    assert "not checked  mark" in ran.out


def test_a_failed_release_leaves_no_folder_behind_that_it_made(guard_cli, home, tmp_path):
    (tmp_path / "a.png").write_bytes(b"no picture")
    (tmp_path / "mine").mkdir()
    for folder in ("out/deeper", "mine", "mine/new"):
        assert guard_cli("release", "a.png", *SOURCE, "-o", folder).code == 2
    assert not (tmp_path / "out").exists()
    assert list((tmp_path / "mine").iterdir()) == []
    picture(tmp_path / "b.png")
    assert guard_cli("release", "a.png", "b.png", *SOURCE, "-o", "out/deeper").code == 2
    assert (tmp_path / "out" / "deeper" / "b.png").is_file()


def test_an_output_folder_that_is_a_file(guard_cli, home, tmp_path):
    picture(tmp_path / "a.png")
    (tmp_path / "out").write_text("a file")
    assert_told(guard_cli("release", "a.png", *SOURCE, "-o", "out/deeper"), "output.folder", 2)


def test_a_missing_key_names_what_is_missing(guard_cli, home, tmp_path):
    picture(tmp_path / "a.png")
    (home.signing_folder / "key.pem").unlink()
    assert_told(guard_cli("release", "a.png", *SOURCE, "-o", "out"), "signer.key-missing", 2)


def test_a_key_that_others_can_read_is_not_used(guard_cli, home, tmp_path):
    picture(tmp_path / "a.png")
    (home.signing_folder / "key.pem").chmod(0o644)
    ran = guard_cli("release", "a.png", *SOURCE, "-o", "out")
    assert_told(ran, "signer.key-exposed", 2)
    assert "chmod 600" in ran.err


def test_a_key_of_another_certificate(guard_cli, home, tmp_path):
    import secrets

    from guard.clock import utc_now
    from guard.home import Home
    from guard.setup import initialise

    other = Home(folder=tmp_path / "other")
    initialise(other, now=utc_now(), random=secrets.token_bytes)
    picture(tmp_path / "a.png")
    stolen = (other.signing_folder / "key.pem").read_bytes()
    (home.signing_folder / "key.pem").write_bytes(stolen)
    assert_told(guard_cli("release", "a.png", *SOURCE, "-o", "out"), "signer.key-mismatch", 2)


def test_a_passphrase_is_asked_for_and_checked(guard_cli, tmp_path, monkeypatch):
    monkeypatch.setenv("GUARD_HOME", str(tmp_path / "locked"))
    monkeypatch.setenv("GUARD_PASSPHRASE", "correct horse")
    assert guard_cli("init", "--passphrase").code == 0
    picture(tmp_path / "a.png")
    assert guard_cli("release", "a.png", *SOURCE, "-o", "out").code == 0
    monkeypatch.setenv("GUARD_PASSPHRASE", "wrong horse")
    assert_told(guard_cli("release", "a.png", *SOURCE, "-o", "out2"), "signer.passphrase-wrong", 2)
    monkeypatch.delenv("GUARD_PASSPHRASE")
    assert_told(guard_cli("release", "a.png", *SOURCE, "-o", "out3"), "passphrase.needed", 2)
    assert not list(tmp_path.glob("out[23]/*"))


def test_an_expired_identity_says_how_to_renew(guard_cli, home, tmp_path):
    from datetime import UTC, datetime, timedelta

    from guard.setup import new_identity

    long_ago = datetime.now(UTC) - timedelta(days=200)
    new_identity(home, now=long_ago, random=lambda n: b"\1" * n)
    picture(tmp_path / "a.png")
    ran = guard_cli("release", "a.png", *SOURCE, "-o", "out")
    assert_told(ran, "signer.expired", 2)
    assert "guard keys renew" in ran.err
    assert guard_cli("keys", "renew").code == 0
    assert guard_cli("release", "a.png", *SOURCE, "-o", "out").code == 0


def test_control_characters_in_a_prompt(guard_cli, home):
    ran = guard_cli("generate", "a \x1b[2J portrait", "-o", "out")
    assert_told(ran, "prompt.control-characters", 2)
    assert "\x1b" not in ran.err


def test_an_unknown_model_is_named_before_anything_is_made(guard_cli, home, tmp_path):
    assert_told(guard_cli("generate", "a cook", "--model", "bundled:nope", "-o", "out"), "model.unknown", 2)
    assert_told(guard_cli("generate", "a cook", "--model", "nope", "-o", "out"), "model.bad-reference", 2)


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("--model", "dir:" + "m" * 5000), "model.bad-reference"),
        (("--model", "bundled:\x1b[31mx"), "model.unknown"),
        (("--model", "bundled:" + "m" * 5000), "model.unknown"),
        (("--adapter", "a" * 5000), "adapter.not-found"),
        (("-o", "o" * 5000), "output.folder"),
        (("--option", 'finish="\\u0000"'), "request.option"),
        (("--option", 'finish="\\u001b[2J"'), "request.option"),
        (("--option", 'finish="lanczos"'), "request.finish"),
        (("--option", '"finish\\u0000"=1'), "request.option"),
    ],
    ids=lambda one: one if isinstance(one, str) else one[0],
)
def test_names_that_no_file_has_and_texts_that_no_option_has(guard_cli, home, arguments, code):
    ran = guard_cli("generate", "a cook", "--steps", "1", "-o", "out", *arguments)
    assert_told(ran, code, 2)
    assert "\x1b" not in ran.err


def test_an_unknown_source_type_lists_the_words(guard_cli, home, tmp_path):
    picture(tmp_path / "a.png")
    ran = guard_cli("release", "a.png", "--source", "magic", "-o", "out")
    assert_told(ran, "source.unknown", 2)
    assert "generated" in ran.err


@pytest.mark.parametrize(
    ("arguments", "help_of"),
    [
        (["nonsense"], "guard"),
        (["--nope"], "guard"),
        (["verify"], "guard verify"),
        (["verify", "--nope", "x"], "guard verify"),
        (["verify", "x", "--debug"], "guard verify"),
        (["verify", "x", "--require", "luck"], "guard verify"),
        (["generate"], "guard generate"),
        (["sign", "x", "-o"], "guard sign"),
        (["keys", "nonsense"], "guard keys"),
        (["trust", "add", "--tier", "x", "a", "b"], "guard trust add"),
    ],
    ids=" ".join,
)
def test_wrong_usage_is_told_like_any_error(capsys, arguments, help_of):
    assert run(arguments) == 2
    told = capsys.readouterr()
    assert told.out == ""
    first, *rest = told.err.splitlines()
    assert first.startswith("error[usage]: ")
    assert rest == [f"  help: {help_of} --help"]
    assert "usage" in CODES


def test_a_file_named_like_an_option_is_a_file(guard_cli):
    """It asks for no traceback (``guard_cli`` would fail on one)."""
    assert_told(guard_cli("verify", "--", "--debug"), "input.missing", 2)


@pytest.mark.parametrize("command", [("verify",), ("inspect",), ("recover",), ("watermark", "detect")])
def test_every_error_names_the_file_and_what_helps(guard_cli, home, bad, command):
    names = ["truncated.png", "text.png", "empty.png", "folder.png", "missing.png"]
    lines = guard_cli(*command, *names).err.splitlines()
    assert all(line.startswith("error[") for line in lines[::3])
    assert lines[1::3] == [f"  --> {name}" for name in names]
    assert all(line.startswith("  help: ") for line in lines[2::3])


def test_of_a_batch_the_file_at_fault_is_named(guard_cli, home, bad):
    picture(bad / "fine.png")
    names = ["truncated.png", "text.png", "empty.png", "folder.png", "missing.png", "bomb.png"]
    ran = guard_cli("release", *names, "fine.png", *SOURCE, "-o", "out")
    told = [line for line in ran.err.splitlines() if line.startswith("  --> ")]
    assert told == [f"  --> {name}" for name in names]
    assert "released        fine.png → out/fine.png" in ran.err


def test_a_file_that_may_not_be_read_does_not_end_the_batch(home, tmp_path, monkeypatch, capsys):
    picture(tmp_path / "closed.png")
    picture(tmp_path / "open.png")
    monkeypatch.chdir(tmp_path)
    real, asked = Path.open, os.access

    def refusing(path, *given, **more):
        if path.name == "closed.png":
            raise PermissionError(13, "Permission denied")
        return real(path, *given, **more)

    monkeypatch.setattr(Path, "open", refusing)
    monkeypatch.setattr(os, "access", lambda path, mode: "closed" not in str(path) and asked(path, mode))
    assert run(["watermark", "detect", "closed.png", "open.png"]) == 2
    told = capsys.readouterr()
    assert "error[input.unreadable]: " in told.err
    assert "  --> closed.png" in told.err
    assert "NO MARK FOUND  open.png" in told.out


def test_an_output_at_fault_is_named_with_its_input(guard_cli, home, tmp_path):
    picture(tmp_path / "a.png")
    (tmp_path / "x.png").write_text("mine")
    ran = guard_cli("sign", "a.png", *SOURCE, "-o", "x.png")
    assert_told(ran, "output.exists", 2)
    assert "  --> x.png (for a.png)" in ran.err


def test_the_words_of_a_decoder_are_not_shown(guard_cli, home, bad):
    data = bytearray((bad / "good.png").read_bytes())
    data[5000:5100] = b"x" * 100
    (bad / "damaged.png").write_bytes(data)
    jpeg = picture(bad / "good.jpg").read_bytes()
    (bad / "truncated.jpg").write_bytes(jpeg[: len(jpeg) // 2])
    ran = guard_cli("recover", "truncated.png", "damaged.png", "truncated.jpg")
    assert ran.err.count("error[") == 3
    assert not re.search(r"OSError|image file|bytes not processed|stream", ran.err)


def test_of_sound_alone_is_said_that_it_has_no_pictures(guard_cli, home, tmp_path):
    head = b"M4A \x00\x00\x00\x00M4A mp42isom"
    data = struct.pack(">I", 8 + len(head)) + b"ftyp" + head + struct.pack(">I", 1008) + b"mdat" + bytes(1000)
    (tmp_path / "song.mp4").write_bytes(data)
    ran = guard_cli("release", "song.mp4", *SOURCE, "-o", "out")
    assert_told(ran, "output.format", 2)
    assert "holds sound and no pictures" in ran.err
    assert "clips can" not in ran.err


def test_a_name_that_claims_another_format_is_refused(guard_cli, home, tmp_path):
    picture(tmp_path / "a.png")
    (tmp_path / "really.png").write_bytes(picture(tmp_path / "b.jpg").read_bytes())
    ran = guard_cli("sign", "a.png", *SOURCE, "-o", "x.jpg")
    assert_told(ran, "output.misnamed", 2)
    assert "help: the format of the input is kept: let the name end in .png" in ran.err
    assert_told(guard_cli("release", "really.png", *SOURCE, "-o", "out"), "output.misnamed", 2)
    assert not list(tmp_path.glob("out/*"))
    assert guard_cli("sign", "b.jpg", *SOURCE, "-o", "x.JPEG").code == 0
    assert guard_cli("sign", "a.png", *SOURCE, "-o", "no-ending").code == 0


def test_formats_that_are_not_released(guard_cli, home, tmp_path):
    picture(tmp_path / "a.bmp")
    ran = guard_cli("release", "a.bmp", *SOURCE, "-o", "out")
    assert_told(ran, "output.format", 2)
    assert "PNG, JPEG, WebP and TIFF" in ran.err


def test_a_batch_warns_once(guard_cli, home, tmp_path):
    for name in ("a.png", "b.png"):
        picture(tmp_path / name)
    ran = guard_cli("release", "a.png", "b.png", *SOURCE, "-o", "out")
    assert ran.out.splitlines() == ["out/a.png", "out/b.png"]
    warnings = [line for line in ran.err.splitlines() if line.startswith("warning")]
    assert warnings
    assert len(warnings) == len(set(warnings))


def test_an_exported_key_is_not_overwritten_and_the_hint_holds(guard_cli, home, tmp_path):
    assert guard_cli("keys", "export-locator", "key.json").code == 0
    ran = guard_cli("keys", "export-locator", "key.json")
    assert_told(ran, "output.exists", 2)
    assert "--force" not in ran.err


def test_no_sentence_of_a_verdict_is_said_twice(guard_cli, signed, tmp_path):
    data = bytearray(signed[".png"].read_bytes())
    data[-40_000] ^= 1
    (tmp_path / "changed.png").write_bytes(data)
    Image.open(signed[".png"]).save(tmp_path / "stripped.png")
    picture(tmp_path / "plain.png")
    ran = guard_cli("verify", "changed.png", "stripped.png", "plain.png")
    verdicts = re.split(r"^(?=[A-Z])", ran.out, flags=re.MULTILINE)[1:]
    assert len(verdicts) == 3
    for verdict in verdicts:
        parts = [re.sub(r"^ *(bytes|mark) +", "", part).strip() for part in re.split(r"\n|; |: ", verdict)]
        sentences = [part for part in parts if len(part.split()) > 4]
        assert len(sentences) == len(set(sentences)), sentences


def test_one_bad_file_in_a_batch_does_not_stop_the_others(guard_cli, home, bad):
    picture(bad / "fine.png")
    ran = guard_cli("release", "text.png", "fine.png", *SOURCE, "-o", "out")
    assert ran.code == 2
    assert ran.out.splitlines() == ["out/fine.png"]


def test_hostile_file_names_are_escaped(guard_cli, tmp_path):
    name = "evil\x1b[31m\u202egnp.png"
    picture(tmp_path / name)
    ran = guard_cli("verify", name)
    assert ran.code == 3
    assert "\x1b" not in ran.out
    assert "\u202e" not in ran.out
    assert "\\x1b[31m\\u202e" in ran.out


def test_debug_shows_the_traceback_and_nothing_else_does(tmp_path, monkeypatch):
    import subprocess
    import sys

    done = subprocess.run(
        [sys.executable, "-m", "guard", "--debug", "verify", "missing.png"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=False,
    )
    assert "Traceback" in done.stderr


def test_every_code_in_the_source_is_explained():
    """A code that `guard explain` does not know would send its reader nowhere."""
    from pathlib import Path

    root = Path(__file__).resolve().parents[2]
    shape = re.compile(r"""(?:Error|missing_extra|_refused)\(\s*"([a-z]+[.][a-z0-9_-]+)\"""")
    used = {
        code
        for package in ("guard", "generators", "provenance", "audits")
        for path in (root / package).rglob("*.py")
        for code in shape.findall(path.read_text(encoding="utf-8"))
    }
    assert len(used) > 40
    assert used - set(CODES) == set()
