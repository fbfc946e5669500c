"""A new epoch of the locator key: earlier marks are still found, and an epoch that was lost is noticed."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from PIL import Image

from guard.api import recover_file, release_file
from guard.cli._report import summary
from guard.doctor import examine_home
from guard.home import Home
from guard.private_layer import require_number
from guard.tools import assemble
from guard.verdict import State
from provenance.errors import InputError, IntegrityError
from provenance.evidence import Evidence, Outcome
from provenance.key_ring import earlier_folder, renew_locator
from provenance.keys import create_private_mark_key, load_locator_key
from provenance.watermark.private_reading import CLAIM

LIKE = "this installation marked a picture that looks like this one from afar; its parts are not checked"


@pytest.fixture
def stripped(signed, tmp_path):
    Image.open(signed[".png"]).save(tmp_path / "stripped.png")
    return tmp_path / "stripped.png"


def locator_line(home: Home) -> str:
    found = examine_home(home, now=datetime.now(UTC))
    return next(f"{one.state} {one.detail}" for one in found if one.what == "locator key")


def test_marks_of_an_earlier_epoch_are_found_after_renewal(home, stripped):
    before = home.locator()
    after = renew_locator(home.locator_path)
    found = recover_file(stripped)
    assert found.state is State.RECOVERED
    assert (found.mark.detail.key_id, found.mark.detail.epoch) == (before.key_id, before.epoch)
    tools = assemble(home)
    assert tools.marker.key == after
    assert tools.locators == (after, before)
    assert locator_line(home).startswith(f"ok {after.key_id}, epoch 2; finds marks of 1 earlier")


def test_a_lost_earlier_epoch_is_noticed(home, stripped, guard_cli):
    renew_locator(home.locator_path)
    (kept,) = earlier_folder(home.locator_path).iterdir()
    secret = kept.read_bytes()
    kept.unlink()
    assert "broken the registry's releases are marked under key" in locator_line(home)
    assert "(epoch 1)" in locator_line(home)
    with pytest.raises(IntegrityError) as caught:
        recover_file(stripped)
    assert caught.value.code == "key.not-of-registry"
    with pytest.raises(IntegrityError):
        assemble(home)
    ran = guard_cli("verify", stripped.name)
    assert ran.code == 3
    assert "not checked  mark" in ran.out  # and not "no mark was found"
    assert guard_cli("keys", "renew", "--locator").code == 2
    kept.write_bytes(secret)
    kept.chmod(0o600)
    assert recover_file(stripped).state is State.RECOVERED


def test_epochs_at_the_command_line(home, guard_cli, tmp_path):
    first = home.locator()
    ran = guard_cli("keys", "renew", "--locator")
    assert ran.code == 0
    assert "epoch 2; marks of earlier epochs are still found" in ran.out
    second = home.locator()
    listed = json.loads(guard_cli("keys", "list", "--format", "json").out)
    assert (listed["locator"]["key_id"], listed["locator"]["epoch"]) == (second.key_id, 2)
    assert [(one["key_id"], one["epoch"]) for one in listed["earlier_locators"]] == [(first.key_id, 1)]
    assert listed["private_mark"] == []
    assert f"{first.key_id}, epoch 1; finds earlier marks" in guard_cli("keys", "list").out
    assert guard_cli("keys", "export-locator", "old.json", "--epoch", "1").code == 0
    assert load_locator_key(tmp_path / "old.json") == first
    assert guard_cli("keys", "export-locator", "none.json", "--epoch", "7").code == 2
    assert not (tmp_path / "none.json").exists()
    assert guard_cli("keys", "renew", "--locator", "--plain").code == 2


def test_the_private_mark_key_at_the_command_line(home, guard_cli):
    ran = guard_cli("keys", "renew", "--private-mark")
    assert ran.code == 2
    assert "guard keys new --private-mark" in ran.err
    assert guard_cli("keys", "new").code == 2
    assert guard_cli("keys", "new", "--private-mark").code == 0
    (first,) = home.private_marks()
    assert guard_cli("keys", "new", "--private-mark").code == 2  # never overwritten
    assert guard_cli("keys", "renew", "--private-mark").code == 0
    assert [key.epoch for key in home.private_marks()] == [2, 1]
    assert home.private_marks()[1] == first
    told = guard_cli("doctor").out + guard_cli("keys", "list", "--format", "json").out
    assert f"{home.private_marks()[0].key_id}, epoch 2" in told
    for path in (home.private_mark_path, *earlier_folder(home.private_mark_path).iterdir()):
        assert json.loads(path.read_text())["secret"] not in told


def test_a_number_goes_along_and_only_the_private_key_reads_it(home, guard_cli, photograph, tmp_path):
    Image.fromarray(photograph).save(tmp_path / "photo.png")
    arguments = ("photo.png", "--source", "trainedAlgorithmicMedia", "-o", "out", "--private-number")
    ran = guard_cli("release", *arguments, 7)
    assert ran.code == 2
    assert "guard keys new --private-mark" in ran.err
    assert guard_cli("keys", "new", "--private-mark").code == 0
    assert guard_cli("release", *arguments, 256).code == 2
    assert not (tmp_path / "out").exists()
    assert guard_cli("release", *arguments, 7).code == 0
    (released,) = (tmp_path / "out").iterdir()
    with Image.open(released) as image:
        image.convert("RGB").save(tmp_path / "web.jpg", quality=60)
    ran = guard_cli("watermark", "detect", "web.jpg")
    assert f"{LIKE}, number 7 (p < 1/100,000 measured)" in ran.out
    (told,) = json.loads(guard_cli("recover", "web.jpg", "--format", "json").out)["recoveries"]
    assert told["private_layer"]["detail"]["number"] == 7
    home.private_mark_path.unlink()
    assert "number" not in guard_cli("recover", "web.jpg").out


def test_a_mark_without_the_layer_is_told(home, photograph, tmp_path, monkeypatch):
    import provenance.watermark.private_embedding as embedding

    unread = Evidence(claim=CLAIM, channel="private-mark", outcome=Outcome.ABSENT)
    monkeypatch.setattr(embedding, "read_private", lambda *_: unread)
    photo, term = tmp_path / "photo.png", "trainedAlgorithmicMedia"
    Image.fromarray(photograph[:300, :300]).save(photo)
    create_private_mark_key(home.private_mark_path)
    made = release_file(photo, tmp_path / "out.png", source=term, home=home, private_number=9)
    assert summary(made)["private_layer"] is False
    assert any("no private layer, nor a number in it" in told for told in made.warnings)


def test_clips_and_numbers_out_of_range_are_refused_before_any_work():
    for number, mime in ((7, "video/mp4"), (0, "image/png"), (256, "image/png")):
        with pytest.raises(InputError) as caught:
            require_number(number, mime)
        assert caught.value.code == "watermark.private-number"
    require_number(255, "image/png")
    require_number(None, "video/mp4")


def test_the_private_layer_at_the_command_line(home, guard_cli, photograph, tmp_path):
    """Made, released with, asked for; in a crop it is seen by way of the manifest."""
    Image.fromarray(photograph).save(tmp_path / "photo.png")
    assert guard_cli("keys", "new", "--private-mark").code == 0
    arguments = ("photo.png", "--source", "trainedAlgorithmicMedia", "-o", "out")
    ran = guard_cli("release", *arguments)
    assert ran.code == 0
    assert "private layer   1 of 1, decoded back" in ran.err
    (released,) = (tmp_path / "out").iterdir()
    with Image.open(released) as image:
        image.convert("RGB").save(tmp_path / "whole.jpg", quality=60)
        image.convert("RGB").crop((70, 50, 470, 480)).save(tmp_path / "cut.png")
    said = LIKE
    ran = guard_cli("watermark", "detect", "whole.jpg")
    assert said in ran.out
    assert said in guard_cli("recover", "cut.png").out
    with Image.open(released) as image:
        painted = image.convert("RGB")
    painted.paste((200, 30, 30), (200, 200, 270, 260))
    painted.save(tmp_path / "painted.png")
    ran = guard_cli("recover", "painted.png")
    assert said in ran.out
    assert "; parts were altered since" in ran.out
    assert guard_cli("keys", "renew", "--private-mark").code == 0
    told = json.loads(guard_cli("recover", "whole.jpg", "--format", "json").out)
    (found,) = told["recoveries"]
    layer = found["private_layer"]
    assert layer["outcome"] == "supports"
    assert layer["detail"]["epoch"] == 1
    for path in (home.private_mark_path, *earlier_folder(home.private_mark_path).iterdir()):
        path.unlink()
    assert "private" not in guard_cli("recover", "whole.jpg").out


def test_a_damaged_private_key_does_not_stop_the_locator(home, stripped, guard_cli):
    create_private_mark_key(home.private_mark_path)
    home.private_mark_path.write_text("no key")
    for command, head in ((("watermark", "detect"), "MARK READ"), (("recover",), "RECOVERED")):
        ran = guard_cli(*command, stripped)
        assert (ran.code, ran.out.split("  ")[0]) == (0, head)
        assert "    private    not looked for: the key cannot be used: it is no key file" in ran.out


def test_a_private_key_made_after_one_was_lost_goes_on_counting(home, guard_cli):
    assert guard_cli("keys", "new", "--private-mark").code == 0
    ran = guard_cli("keys", "new", "--private-mark")
    assert (ran.code, "  help: guard keys renew --private-mark" in ran.err) == (2, True)
    assert guard_cli("keys", "renew", "--private-mark").code == 0
    home.private_mark_path.unlink()
    assert ", epoch 3;" in guard_cli("keys", "new", "--private-mark").out
    assert [key.epoch for key in home.private_marks()] == [3, 1]


def test_where_no_mark_is_found_every_key_tried_is_named(home, guard_cli, tmp_path):
    renew_locator(home.locator_path)
    Image.effect_noise((300, 300), 40).convert("RGB").save(tmp_path / "plain.png")
    ran = guard_cli("watermark", "detect", "plain.png")
    assert ran.out.startswith("NO MARK FOUND")
    for key in home.locators():
        assert f"{key.key_id}, epoch {key.epoch}" in ran.out
