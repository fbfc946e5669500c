"""``guard recover --against`` and ``--report``: words, exit codes, the picture, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from guard.changes import _geometry
from guard.cli.recover import print_recovery
from guard.verdict import State


@pytest.fixture
def copies(signed, photographs, tmp_path):
    """A marked copy with a patch, the photograph as it was before the mark, and another picture."""
    released = np.asarray(Image.open(signed[".png"]).convert("RGB"))
    patched = released.copy()
    patched[300:360, 100:160] = photographs[1][100:160, 100:160]
    made = {"marked.jpg": patched, "unmarked.jpg": photographs[0], "other.jpg": photographs[2]}
    for name, pixels in made.items():
        Image.fromarray(pixels[30:490, 20:500] if name == "marked.jpg" else pixels).save(
            tmp_path / name, quality=75
        )
    return {name: tmp_path / name for name in made}


def test_of_a_file_whose_own_manifest_covers_it_nothing_else_is_said(guard_cli, signed):
    ran = guard_cli("recover", signed[".png"])
    assert "RECOVERED" in ran.out
    assert "whether it covers these bytes: guard verify" in ran.out
    assert "does not cover" not in ran.out + ran.err
    assert "never covers" not in guard_cli("recover", "--help").out


def test_the_mark_decides_whether_it_is_recovered_or_only_similar(guard_cli, signed, copies):
    found = guard_cli("recover", copies["marked.jpg"], "--against", signed[".png"])
    assert found.code == 0
    assert found.out.startswith("RECOVERED")
    assert "altered in places" in found.out
    alike = guard_cli("recover", copies["unmarked.jpg"], "--against", signed[".png"])
    assert alike.code == 3
    assert alike.out.startswith("SIMILAR")
    assert "no mark says" in alike.out
    assert "the same picture" not in alike.out
    other = guard_cli("recover", copies["other.jpg"], "--against", signed[".png"], "--format", "json")
    document = json.loads(other.out)
    assert (other.code, document["exit_code"]) == (1, 1)
    assert document["recoveries"][0]["state"] == "other"


def test_a_report_is_drawn_beside_the_words_and_never_over_a_file(guard_cli, signed, copies, tmp_path):
    first = guard_cli("recover", copies["marked.jpg"], "--report", "out.png")
    assert first.code == 0
    with Image.open(tmp_path / "out.png") as report:
        assert report.format == "PNG"
        assert max(report.size) <= 1000
        reds = (np.abs(np.asarray(report).astype(int) - (222, 30, 38)).sum(axis=-1) < 12).sum()
    assert reds > 200  # the outline of the patch
    again = guard_cli("recover", copies["marked.jpg"], "--report", "out.png")
    assert again.code == 2
    assert "error[output.exists]" in again.err
    page = guard_cli(
        "recover", copies["marked.jpg"], "--against", signed[".png"], "--report", "out.html", "--force"
    )
    assert page.code == 0
    assert "data:image/png;base64," in (tmp_path / "out.html").read_text()


def test_a_look_alike_is_not_called_the_same_picture_in_its_report_either(
    guard_cli, signed, copies, tmp_path
):
    guard_cli("recover", copies["unmarked.jpg"], "--against", signed[".png"], "--report", "out.html")
    page = (tmp_path / "out.html").read_text()
    assert "<title>SIMILAR: much like the picture" in page
    assert "the same picture" not in page


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("--report", "out.svg"), "report.format"),
        (("other.jpg", "--report", "out.png"), "report.one-file"),
        (("--against", "other.jpg"), "against.manifest"),
        (("--against", "missing.png"), "input.missing"),
        (("--report", "nowhere/out.png"), "output.folder"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(guard_cli, copies, arguments, code, tmp_path):
    refused = guard_cli("recover", "marked.jpg", *arguments)
    assert refused.code == 2
    assert refused.err.startswith(f"error[{code}]")
    assert not list(tmp_path.glob("out.*"))


def test_clips_are_not_compared_that_way(guard_cli, signed, copies, make_clip, tmp_path):
    (tmp_path / "clip.mp4").write_bytes(make_clip(frames=2, sound=None))
    for found, against in (("clip.mp4", signed[".png"]), ("marked.jpg", "clip.mp4")):
        refused = guard_cli("recover", found, "--against", against)
        assert refused.code == 2
        assert refused.err.startswith("error[against.clip]: ")


@pytest.mark.parametrize(
    ("degrees", "told"),
    [(-179.8, ["turned by 180°"]), (179.8, ["turned by 180°"]), (-90.2, ["turned by -90°"]), (0.4, [])],
)
def test_half_a_turn_has_one_name(degrees, told):
    reading = SimpleNamespace(mirrored=False, rotation=degrees, scale=(1.0, 1.0))
    assert _geometry(reading) == told


def test_nothing_is_drawn_for_another_picture(guard_cli, signed, copies, tmp_path):
    ran = guard_cli("recover", copies["other.jpg"], "--against", signed[".png"], "--report", "out.png")
    assert ran.code == 1
    assert "no report was drawn" in ran.err
    assert not (tmp_path / "out.png").exists()


def test_a_reason_is_given_once(capsys):
    reason = "too small or too plain to tell pictures apart"
    candidate = SimpleNamespace(
        manifest=SimpleNamespace(signer="Someone", model_name=None),
        entry=SimpleNamespace(content_id=b"\1" * 8, publisher=None, withdrawn=None),
        digest=SimpleNamespace(detail=None, reason=reason),
    )
    found = SimpleNamespace(
        state=State.NO_CREDENTIALS, reason=reason, candidates=(candidate, candidate), notes=()
    )
    print_recovery(Path("tiny.jpg"), None, found)
    assert capsys.readouterr().out.count(reason) == 1
