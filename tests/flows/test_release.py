"""Release: every step with the real part, on real pictures."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from guard.errors import Denied
from guard.intake import Statement, draft_of, release_asset, source_type
from guard.plan import ask
from guard.policy.decision import Action, RuleStatus
from guard.policy.rule import Stage
from guard.records import Progress, Record, Records
from guard.release import Order, release
from guard.verdict import State
from guard.verify import Relinking, verify
from provenance.codecs import decode, read_asset
from provenance.errors import ConfigurationError, Error, InputError, IntegrityError
from provenance.evidence import Evidence, Outcome
from provenance.log.leaves import DecisionLeaf, ManifestLeaf, leaves
from provenance.manifest.reading import DigitalSourceType
from provenance.registry import Registry

GENERATED = Statement(source_type=DigitalSourceType.TRAINED_ALGORITHMIC_MEDIA, model_name="Elsewhere 1")


def owed(tools, statement=GENERATED, command="release"):
    return ask(Stage.PLAN, statement.origin(), tools, command=command).obligations


def verdict(path, home, tools, **more):
    return verify(
        read_asset(path),
        trust=home.trust(),
        at=tools.clock(),
        relinking=lambda: Relinking(keys=[home.locator()], registry=tools.registry),
        **more,
    )


def order(tools, picture: Path, folder: Path, **more) -> Order:
    folder.mkdir(exist_ok=True)
    draft = draft_of(read_asset(picture), GENERATED)
    return Order(draft=draft, plan=owed(tools), command="release", folder=folder, **more)


def stripped_copy(path: Path, **saving) -> Path:
    """The pixels alone, in a new file."""
    copy = path.with_name(f"stripped-{path.name}")
    Image.open(path).save(copy, **saving)
    return copy


@pytest.fixture
def picture(photograph, tmp_path):
    path = tmp_path / "source.png"
    Image.fromarray(photograph).save(path)
    return path


def test_a_released_picture_is_intact_marked_labelled_and_logged(home, tools, picture, tmp_path):
    released = release(order(tools, picture, tmp_path / "out"), tools)
    found = verdict(released.path, home, tools)
    assert found.state is State.DEVELOPMENT
    assert {a.question: a.outcome for a in found.answers}["ai"] is Outcome.SUPPORTS
    assert released.signed.marked.mark is not None
    assert released.signed.marked.mark.psnr >= 40.0
    written = [leaf for _, leaf in leaves(tools.log)]
    assert [type(leaf) for leaf in written] == [ManifestLeaf, DecisionLeaf]
    assert written[1].action == "allow"
    assert written[1].subject_sha256 == read_asset(released.path).sha256
    assert tools.registry.pending() == ()


def test_nothing_but_the_released_file_is_left_in_the_folder(tools, picture, tmp_path):
    released = release(order(tools, picture, tmp_path / "out"), tools)
    assert [path.name for path in (tmp_path / "out").iterdir()] == [released.path.name]
    assert not list(tools.records.folder.glob("*.lock"))


def test_the_record_is_private_and_says_how_it_ended(tools, picture, tmp_path):
    release(order(tools, picture, tmp_path / "out"), tools)
    (path,) = tools.records.folder.glob("*.json")
    assert path.stat().st_mode & 0o777 == 0o600
    record = tools.records.read(path.stem)
    assert record.progress is Progress.RELEASED
    assert json.loads(record.decision or "{}")["action"] == "allow"


def refusing(claim: str):
    def inspector(_frames) -> Evidence:
        return Evidence(claim=claim, channel="test", outcome=Outcome.SUPPORTS, detail=None)

    return inspector


def test_denied_pixels_never_touch_the_disk(tools, picture, tmp_path):
    careful = replace(tools, inspectors=[refusing("sexual"), refusing("minor")])
    before = {path for path in tmp_path.rglob("*") if path.is_file()}
    with pytest.raises(Denied):
        release(order(careful, picture, tmp_path / "out"), careful)
    new = {path for path in tmp_path.rglob("*") if path.is_file()} - before
    image = picture.read_bytes()
    assert all(path.suffix in {".json", ".sqlite", ".sqlite-wal", ".sqlite-shm", ".lock"} for path in new)
    assert all(image[100:200] not in path.read_bytes() for path in new)
    assert list((tmp_path / "out").iterdir()) == []


def test_an_existing_output_is_kept_and_named(tools, picture, tmp_path):
    (tmp_path / "out").mkdir()
    taken = tmp_path / "out" / "picture.png"
    taken.write_bytes(b"mine")
    with pytest.raises(InputError) as caught:
        release(order(tools, picture, tmp_path / "out", name="picture.png"), tools)
    assert caught.value.code == "output.exists"
    assert taken.read_bytes() == b"mine"


def test_force_replaces_and_the_result_verifies(home, tools, picture, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "picture.png").write_bytes(b"mine")
    released = release(order(tools, picture, tmp_path / "out", name="picture.png", force=True), tools)
    assert verdict(released.path, home, tools).state is State.DEVELOPMENT


def test_a_decision_for_other_bytes_opens_nothing(tools, picture, tmp_path):
    from guard.writer import stage

    released = release(order(tools, picture, tmp_path / "out"), tools)
    other = replace(released.signed, asset=replace(released.signed.asset, sha256="0" * 64))
    with pytest.raises(IntegrityError):
        stage(other, released.decision, tmp_path / "stolen.png")
    assert not (tmp_path / "stolen.png").exists()


def test_a_released_file_released_again_keeps_its_history(home, tools, picture, tmp_path):
    first = release(order(tools, picture, tmp_path / "out"), tools)
    again = tmp_path / "again.png"
    release_asset(read_asset(first.path), GENERATED, tools, plan=owed(tools), command="release", output=again)
    found = verdict(again, home, tools)
    assert found.state is State.DEVELOPMENT
    history = next(a for a in found.answers if a.question == "history")
    assert history.outcome is Outcome.SUPPORTS


def test_a_washed_copy_contradicts_its_own_mark(home, tools, picture, tmp_path):
    """Signed again as a photograph, past intake: the mark still leads to the manifest that says AI."""
    from guard.policy.facts import EarlierMark, Media, known

    stripped = stripped_copy(release(order(tools, picture, tmp_path / "out"), tools).path)
    said = Statement(source_type=DigitalSourceType.DIGITAL_CAPTURE)
    wash = Order(
        draft=replace(
            draft_of(read_asset(stripped), said), found=Media(earlier_mark=known(EarlierMark.NOT_CHECKED))
        ),
        plan=owed(tools, said, command="sign"),
        command="sign",
        folder=tmp_path,
        name="washed.png",
    )
    found = verdict(release(wash, tools).path, home, tools, always_mark=True)
    assert found.state is State.CONFLICT
    assert "digitalCapture" in found.conflicts[0]


def release_as(word, path, target, tools, command="release"):
    said = Statement(source_type=source_type(word))
    plan = owed(tools, said, command=command)
    return release_asset(read_asset(path), said, tools, plan=plan, command=command, output=target)


def release_as_photograph(path, target, tools, command="release"):
    return release_as("digital-capture", path, target, tools, command)


@pytest.mark.parametrize("command", ["release", "sign", "watermark"])
def test_a_stripped_generated_picture_does_not_leave_as_a_photograph(tools, picture, tmp_path, command):
    released = release(order(tools, picture, tmp_path / "out", name="made.png"), tools).path
    small = Image.open(released).resize((400, 400))
    small.save(tmp_path / "copy.jpg", quality=75)
    for copy in (stripped_copy(released), tmp_path / "copy.jpg"):
        with pytest.raises(InputError) as caught:
            release_as_photograph(copy, tmp_path / f"washed{copy.suffix}", tools, command)
        assert caught.value.code == "source.contradicted"
        assert not (tmp_path / f"washed{copy.suffix}").exists()


def test_a_photograph_released_here_may_leave_again_as_one(tools, picture, tmp_path):
    once = release_as_photograph(picture, tmp_path / "once.png", tools)
    assert "base.origin-looked-at" not in {warned.rule for warned in once.decision.warnings}
    again = release_as_photograph(stripped_copy(once.path), tmp_path / "again.png", tools)
    assert "base.origin-looked-at" not in {warned.rule for warned in again.decision.warnings}


def test_a_photograph_released_here_and_painted_over_is_not_taken_for_a_generated_one(
    tools, picture, tmp_path
):
    once = release_as_photograph(picture, tmp_path / "once.png", tools)
    painted = np.array(Image.open(once.path).convert("RGB"))
    painted[:, :200] = np.random.default_rng(1).integers(0, 255, (512, 200, 3))
    left = release_as_photograph(saved(tmp_path / "painted.png", painted), tmp_path / "again.png", tools)
    rules = {rule.rule: rule for rule in left.decision.rules}
    assert left.decision.facts["media.earlier_mark"].value == "other"
    for name in ("base.origin-looked-at", "base.mark-of-generated", "default.mark-of-generated"):
        assert rules[name].status is RuleStatus.PASS


@pytest.mark.parametrize("word", ["algorithmic", "digital-creation", "composite", "screen-capture"])
def test_what_its_manifest_calls_drawn_does_not_leave_as_a_photograph(tools, picture, tmp_path, word):
    drawn = release_as(word, picture, tmp_path / "drawn.png", tools, "sign").path
    with pytest.raises(InputError) as caught:
        release_as_photograph(drawn, tmp_path / "photograph.png", tools)
    assert caught.value.code == "source.contradicted"
    assert release_as("human-edits", drawn, tmp_path / "edited.png", tools, "sign").path.exists()


def test_an_edited_photograph_may_leave_as_a_photograph(tools, picture, tmp_path):
    taken = release_as_photograph(picture, tmp_path / "taken.png", tools, "sign").path
    edited = release_as("human-edits", taken, tmp_path / "edited.png", tools, "sign").path
    assert release_as_photograph(edited, tmp_path / "again.png", tools, "sign").path.exists()


def test_a_photograph_with_the_mark_of_a_generated_picture_waits_for_a_person(
    home, tools, picture, photographs, tmp_path
):
    """The signed digest says that it is another picture: the mark was copied, or it was painted over."""
    made = release(order(tools, picture, tmp_path / "out", name="made.png"), tools)
    residual = np.asarray(Image.open(made.path)).astype(int) - np.asarray(Image.open(picture))
    host = np.asarray(Image.fromarray(photographs[1]).resize((512, 512)))
    framed = tmp_path / "framed.png"
    Image.fromarray(np.clip(host + 1.5 * residual, 0, 255).round().astype(np.uint8)).save(framed)
    assert verdict(framed, home, tools).state is State.LOCATOR_MISMATCH
    with pytest.raises(Denied) as caught:
        release_as_photograph(framed, tmp_path / "photograph.png", tools, "sign")
    assert caught.value.decision.action is Action.REVIEW
    assert {reason.rule for reason in caught.value.decision.reasons} >= {"default.mark-of-generated"}
    assert not (tmp_path / "photograph.png").exists()


@pytest.mark.parametrize("word", ["digital-capture", "algorithmic", "compositeSynthetic"])
def test_a_generated_picture_painted_over_waits_for_a_person_too(tools, picture, tmp_path, word):
    """Whatever it is said to be: as a program's drawing today, it could leave as a photograph tomorrow."""
    made = release(order(tools, picture, tmp_path / "out", name="made.png"), tools)
    painted = np.array(Image.open(made.path).convert("RGB"))
    painted[:, :200] = np.random.default_rng(1).integers(0, 255, (512, 200, 3))
    with pytest.raises(Denied) as caught:
        release_as(word, saved(tmp_path / "painted.png", painted), tmp_path / "left.png", tools)
    assert "default.mark-of-generated" in {reason.rule for reason in caught.value.decision.reasons}


def test_where_marks_cannot_be_read_that_is_said(tools, picture, tmp_path, monkeypatch):
    from provenance.errors import missing_extra
    from provenance.watermark import interface

    def absent() -> None:
        raise missing_extra("watermark", "reading marks")

    monkeypatch.setattr(interface, "_require_libraries", absent)
    released = release_as_photograph(picture, tmp_path / "photograph.png", tools, "sign")
    (rule,) = (rule for rule in released.decision.rules if rule.rule == "base.origin-looked-at")
    assert rule.status is RuleStatus.UNKNOWN
    assert "mediaguard[watermark]" in json.dumps(released.decision.to_json())


def test_a_small_picture_is_enlarged_and_that_is_said(home, tools, photograph, tmp_path):
    small = tmp_path / "small.png"
    Image.fromarray(photograph).resize((120, 90)).save(small)
    released = release(order(tools, small, tmp_path / "out"), tools)
    assert released.signed.marked.enlarged_from == (120, 90)
    assert min(decode(read_asset(released.path)).pixels.shape[1:3]) >= 256
    assert "default.enlarged" in {warned.rule for warned in released.decision.warnings}


def test_the_size_named_is_that_of_the_picture(tools, tmp_path):
    white = saved(tmp_path / "white.png", np.full((30, 40, 3), 255, np.uint8))
    released = release(order(tools, white, tmp_path / "out"), tools)
    said = "this 40x30 picture cannot carry a mark at 40 dB, not even enlarged to 341x256"
    assert released.signed.marked.unmarked_reason == said


NOISE = np.random.default_rng(0).integers(0, 2, (256, 256, 3), dtype=np.uint8) * 255
"""Black or white in every sample: no room for a mark."""


def saved(path: Path, pixels) -> Path:
    Image.fromarray(pixels).save(path)
    return path


def test_a_picture_that_cannot_carry_a_mark_leaves_unmarked_with_a_warning(tools, tmp_path):
    released = release(order(tools, saved(tmp_path / "crowded.png", NOISE), tmp_path / "out"), tools)
    assert released.signed.marked.mark is None
    reason = "this 256x256 picture cannot carry a mark at 40 dB"
    assert released.signed.marked.unmarked_reason == reason
    assert "default.unmarked" in {warned.rule for warned in released.decision.warnings}


def test_a_picture_that_stays_unmarked_keeps_its_size(tools, tmp_path, monkeypatch):
    from provenance.watermark import interface

    def crowded(*_given, **_more):
        raise InputError("watermark.capacity-exceeded", "too crowded")

    monkeypatch.setattr(interface, "embed", crowded)
    for size in ((300, 20), (9000, 1)):
        strip = saved(tmp_path / f"{size[0]}.png", np.full((size[1], size[0], 3), 128, np.uint8))
        released = release(order(tools, strip, tmp_path / "out"), tools)
        kept = decode(read_asset(released.path))
        assert (kept.width, kept.height) == size
        warned = {warned.rule for warned in released.decision.warnings}
        assert "default.unmarked" in warned
        assert "default.enlarged" not in warned


def test_a_strip_is_not_enlarged_beyond_measure(tools, tmp_path):
    strip = saved(tmp_path / "strip.png", np.full((1, 9000, 3), 128, np.uint8))
    released = release(order(tools, strip, tmp_path / "out"), tools)
    assert "too narrow" in (released.signed.marked.unmarked_reason or "")


def test_the_floor_is_tried_before_a_picture_counts_as_unmarkable(tools, picture, tmp_path, monkeypatch):
    from guard.tools import TileMarker
    from provenance.watermark import interface

    real = interface.embed

    def crowded(frames, payload, key, *, target_db):
        if target_db > 40.5:
            raise InputError("watermark.capacity-exceeded", "too crowded")
        return real(frames, payload, key, target_db=target_db)

    monkeypatch.setattr(interface, "embed", crowded)
    assert isinstance(tools.marker, TileMarker)
    released = release(order(tools, picture, tmp_path / "out"), tools)
    assert released.signed.marked.mark is not None
    assert 40.0 <= released.signed.marked.mark.psnr < 40.5


def test_a_required_mark_is_required_of_any_picture(tools, tmp_path, picture, monkeypatch):
    from guard.policy.obligations import MarkDuty
    from provenance.errors import missing_extra
    from provenance.watermark import interface

    crowded = saved(tmp_path / "crowded.png", NOISE)
    wanted = order(tools, crowded, tmp_path / "out")
    strict = replace(wanted, plan=replace(wanted.plan, watermark=MarkDuty.REQUIRED))
    with pytest.raises(Denied) as caught:
        release(strict, tools)
    assert "base.mark-read-back" in {reason.rule for reason in caught.value.decision.reasons}

    def absent() -> None:
        raise missing_extra("watermark", "marks")

    monkeypatch.setattr(interface, "_require_libraries", absent)
    with pytest.raises(Error) as missing:
        release(replace(strict, draft=draft_of(read_asset(picture), GENERATED)), tools)
    assert missing.value.code == "extra.missing"
    assert list((tmp_path / "out").iterdir()) == []


def test_marking_alone_keeps_the_manifest_in_the_registry(home, tools, picture, tmp_path):
    wanted = replace(
        order(tools, picture, tmp_path / "out"), command="watermark", plan=owed(tools, command="watermark")
    )
    released = release(wanted, tools)
    assert released.signed.asset.data == released.signed.marked.asset.data  # nothing was embedded
    found = verdict(released.path, home, tools)
    assert found.state is State.RECOVERED
    kept = tools.registry.by_asset(released.signed.asset.sha256)[0]
    beside = verify(read_asset(released.path), trust=home.trust(), at=tools.clock(), sidecar=kept.manifest)
    assert beside.state is State.DEVELOPMENT


def test_a_full_disk_leaves_nothing_half_written(tools, picture, tmp_path, monkeypatch):
    import errno
    import os

    real = os.fsync

    def full(descriptor: int) -> None:
        if str(Path(f"/proc/self/fd/{descriptor}").readlink()).startswith(str(tmp_path / "out")):
            raise OSError(errno.ENOSPC, "No space left on device")
        real(descriptor)

    wanted = order(tools, picture, tmp_path / "out", name="picture.png")
    (tmp_path / "out").joinpath("keep").write_bytes(b"")
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(Error) as caught:
        release(wanted, tools)
    monkeypatch.undo()
    assert caught.value.code == "disk.full"
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["keep"]


@pytest.mark.parametrize("failing", ["registry", "record"])
def test_a_file_that_is_out_counts_as_released_though_the_registry_is_full(
    home, tools, picture, tmp_path, monkeypatch, failing
):
    full = ConfigurationError("disk.full", "no room to write")
    write = Records.write

    def no_room(records: Records, record: Record) -> None:
        if record.progress is Progress.RELEASED:
            raise full
        write(records, record)

    def not_marked(*_: object) -> None:
        raise full

    if failing == "registry":
        monkeypatch.setattr(Registry, "mark_released", not_marked)
    else:
        monkeypatch.setattr(Records, "write", no_room)
    released = release(order(tools, picture, tmp_path / "out", name="picture.png"), tools)
    monkeypatch.undo()
    assert released.pending is not None
    assert "no room to write" in released.pending
    assert released.pending in released.warnings
    assert verdict(released.path, home, tools).state is State.DEVELOPMENT
    assert len(tools.registry.pending()) == (failing == "registry")
    assert len(list(tools.records.unfinished())) == 1

    second = release(order(tools, picture, tmp_path / "out"), tools)
    assert second.pending is None
    assert len(tools.registry.releases()) == 2
    assert not list(tools.records.unfinished())
    assert verdict(stripped_copy(released.path), home, tools).state is State.RECOVERED
