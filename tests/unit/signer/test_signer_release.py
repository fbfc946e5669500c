"""Releases whose keys are in the signer: the same flow, the same files, and nothing of the keys here."""

from __future__ import annotations

import io
import json
import secrets
import wave
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from PIL import Image

from guard.api import verify_file
from guard.clock import utc_now
from guard.doctor import examine_home
from guard.errors import Denied
from guard.home import Home
from guard.identities import own_identities
from guard.policy.decision import authorise
from guard.policy.pack import load_packs
from guard.policy.rule import Stage
from guard.records import Progress
from guard.setup import initialise, new_identity
from guard.signer.joining import join
from guard.signer.values import from_wire, to_wire
from guard.tools import TileMarker, assemble
from guard.verdict import State
from guard.verify import verify
from provenance.codecs import read_asset
from provenance.errors import ConfigurationError, InputError
from provenance.log.leaves import DecisionLeaf, leaves, unreleased
from provenance.manifest.containers import has_trace
from provenance.manifest.ingredient import Ingredient, Kind
from provenance.manifest.spec import ManifestSpec
from provenance.media import Asset
from provenance.watermark.key import WatermarkKey

STRICT = """
apiVersion: guard.policy/v1
kind: PolicyPack
metadata:
  {name: strict, version: "1", description: marks, sources: [{id: here, title: here, confidence: high}]}
spec:
  rules:
    - id: strict.marked
      stage: plan
      source: here
      require: "true"
      on_fail: deny
      oblige: {watermark: required, c2pa: true}
      message: {en: marked}
    - id: strict.else
      stage: [prompt, pixels, publish]
      source: here
      require: "true"
      on_fail: deny
      message: {en: anything goes}
"""


def actions(home) -> list[str]:
    return [leaf.action for _, leaf in leaves(home.log_as_found()) if isinstance(leaf, DecisionLeaf)]


def ends(tools) -> list[Progress]:
    names = sorted(path.stem for path in tools.records.folder.glob("*.json"))
    return [tools.records.read(name).progress for name in names]


def image(pixels, form="PNG", **options) -> Asset:
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, form, **options)
    return Asset.of(out.getvalue(), f"image/{form.lower()}")


@pytest.fixture
def white() -> Asset:
    """Carries no mark."""
    out = io.BytesIO()
    Image.new("RGB", (300, 300), "white").save(out, "PNG")
    return Asset.of(out.getvalue(), "image/png")


@pytest.mark.parametrize("form", ["PNG", "JPEG"])
def test_a_file_released_through_the_signer_verifies_on_both_sides(let_go, client, home, photograph, form):
    released = let_go(client, image(photograph[:288, :288], form, quality=92))
    asset = read_asset(released.path)
    for trust in (home.trust(), client.trust):
        assert verify(asset, trust=trust, at=utc_now()).state is State.DEVELOPMENT
    assert actions(home) == ["allow"]
    assert unreleased(home.log()) == ()
    (entry,) = home.registry().by_asset(asset.sha256)
    assert entry.log_index == released.leaves[1]
    assert ends(client) == [Progress.RELEASED]
    assert list(client.records.folder.glob("*.lock")) == []
    assert released.proof.manifest.log_checkpoint == released.signed.reading.log_checkpoint is not None


def test_the_client_has_no_keys_no_log_and_no_registry(client, let_go, picture, tmp_path):
    let_go(client, picture)
    left = {path.relative_to(tmp_path / "client").parts[0] for path in (tmp_path / "client").rglob("*")}
    assert left == {"config.toml", "keys", "records", "trust"}
    assert [path.name for path in (tmp_path / "client" / "keys").iterdir()] == ["locator.json"]
    for held in ("signer", "log", "registry"):
        with pytest.raises(ConfigurationError) as caught:
            getattr(client, held)
        assert caught.value.code == "signer.elsewhere"


def test_what_the_client_alone_knows_is_recorded_as_claimed(client, let_go, picture):
    decision = let_go(client, picture).decision
    authorise(decision, stage=Stage.PUBLISH, subject=decision.subject)
    producers = {name: fact.producer for name, fact in decision.facts.items()}
    assert producers["marks.watermark.psnr"] == "claimed"
    assert producers["request.command"] == "claimed"
    assert producers["risk.prompt_checked"] == "claimed:guard.prompt"
    for name in ("marks.watermark.detected", "marks.c2pa.state", "media.width", "log.recorded"):
        assert not producers[name].startswith("claimed"), name


def test_what_the_signers_packs_refuse_is_logged_there_and_nothing_leaves(
    signer, joined, let_go, home, white, tmp_path
):
    (tmp_path / "strict.yaml").write_text(STRICT)
    client = joined(signer(packs=load_packs(f"default,{tmp_path / 'strict.yaml'}")))
    with pytest.raises(Denied) as caught:
        let_go(client, white)
    assert (caught.value.code, caught.value.decision.stage) == ("policy.denied", Stage.PUBLISH)
    assert actions(home) == ["deny"]
    assert home.registry().pending() == ()
    assert list((tmp_path / "out").iterdir()) == []
    assert ends(client) == [Progress.DENIED]


def test_what_cannot_carry_a_mark_leaves_without_one_where_the_packs_let_it(client, let_go, white):
    released = let_go(client, white)
    assert released.signed.marked.capacity_exceeded
    assert "default.unmarked" in {warned.rule for warned in released.decision.warnings}


def test_marks_alone_and_signatures_alone(client, let_go, picture, home):
    marked = let_go(client, picture, "digitalCapture", "watermark")
    assert not has_trace(marked.path.read_bytes())
    assert len(home.registry().by_asset(marked.signed.asset.sha256)) == 1
    signed = let_go(client, picture, "digitalCapture", "sign")
    assert signed.proof.manifest.soft_bindings == ()


def test_a_generated_picture_is_known_by_its_mark_in_the_signers_registry(client, let_go, picture):
    generated = let_go(client, picture)
    stripped = image_of(generated.path)
    with pytest.raises(InputError) as caught:
        let_go(client, stripped, "digitalCapture")
    assert caught.value.code == "source.contradicted"


def image_of(path) -> Asset:
    out = io.BytesIO()
    Image.open(path).save(out, "PNG")
    return Asset.of(out.getvalue(), "image/png")


def test_a_source_with_a_manifest_becomes_history(client, let_go, picture):
    again = let_go(client, read_asset(let_go(client, picture).path))
    assert len(again.proof.manifest.ingredients) == 1


@pytest.mark.parametrize("container", ["mp4", "webm"])
def test_clips_go_through_the_signer(client, let_go, make_clip, home, container):
    data = make_clip(
        container=container,
        codec="libx264" if container == "mp4" else "libvpx-vp9",
        sound=None,
        size=(256, 256),
    )
    released = let_go(client, Asset.of(data, f"video/{container}"))
    assert released.signed.marked.clip is not None
    assert (released.sidecar is not None) is (container == "webm")
    assert actions(home) == ["allow"]


def test_the_signer_refuses_a_client_with_another_locator_key(client, let_go, picture, home):
    other = WatermarkKey(key_id="other", epoch=1, secret=bytes(32))
    marker = TileMarker(key=other)
    strange = replace(client, marker=marker, remote=replace(client.remote, marker=marker))
    with pytest.raises(ConfigurationError) as caught:
        let_go(strange, picture)
    assert caught.value.code == "signer.other-locator"


def test_packs_that_ask_for_less_than_the_signers_are_told(signer, joined, picture, tmp_path):
    from guard.intake import Statement, release_asset
    from guard.policy.obligations import Plan
    from provenance.manifest.reading import DigitalSourceType

    client = joined(signer())
    said = Statement(source_type=DigitalSourceType.TRAINED_ALGORITHMIC_MEDIA)
    with pytest.raises(ConfigurationError) as caught:
        release_asset(
            picture, said, client, plan=Plan(log=True), command="release", output=tmp_path / "a.png"
        )
    assert caught.value.code == "signer.other-plan"
    assert not (tmp_path / "a.png").exists()


def test_joining_never_mixes_homes(signer, home, client, tmp_path):
    with pytest.raises(InputError) as caught:
        join(home, client.remote.path, now=utc_now())
    assert caught.value.code == "home.exists"


def test_without_a_signer_a_release_says_so_and_leaves_nothing(signer, joined, let_go, picture, tmp_path):
    running = signer()
    client = joined(running)
    running.end()
    with pytest.raises(ConfigurationError) as caught:
        let_go(client, picture)
    assert caught.value.code == "signer.unreachable"
    assert list((tmp_path / "out").iterdir()) == []
    assert list(client.records.folder.iterdir()) == []
    assert assemble(Home(folder=tmp_path / "client")).vault is None


def test_doctor_looks_at_the_signer_where_the_keys_are_there(signer, joined, tmp_path):
    running = signer()
    joined(running)
    found = {one.what: one for one in examine_home(Home(folder=tmp_path / "client"), now=utc_now())}
    assert {one.state for one in found.values()} == {"ok"}
    assert found["signer process"].detail.startswith("answers; policy default")
    assert "log" not in found
    running.end()
    found = {one.what: one for one in examine_home(Home(folder=tmp_path / "client"), now=utc_now())}
    assert found["signer process"].state == "broken"


def test_commands_that_need_the_keys_say_where_they_are(signer, joined, tmp_path):
    joined(signer())
    with pytest.raises(ConfigurationError) as caught:
        Home(folder=tmp_path / "client").signer()
    assert caught.value.code == "signer.elsewhere"


def test_nothing_begins_anew_in_a_home_whose_keys_are_elsewhere(signer, joined, let_go, picture, tmp_path):
    client, mine = joined(signer()), Home(folder=tmp_path / "client")
    path = let_go(client, picture).path
    before = sorted(mine.folder.rglob("*"))
    for do in (
        lambda: initialise(mine, now=utc_now(), random=secrets.token_bytes),
        lambda: new_identity(mine, now=utc_now(), random=secrets.token_bytes),
        mine.log,
        mine.log_as_found,
        mine.registry,
        mine.registry_as_found,
        lambda: own_identities(mine, now=utc_now()),
    ):
        with pytest.raises(ConfigurationError) as caught:
            do()
        assert caught.value.code == "signer.elsewhere"
    assert sorted(mine.folder.rglob("*")) == before
    assert verify_file(path, home=mine).state is State.DEVELOPMENT
    stripped = tmp_path / "stripped.png"
    stripped.write_bytes(image_of(path).data)
    verdict = verify_file(stripped, home=mine)
    assert verdict.state is State.NO_CREDENTIALS


def test_several_clients_at_once_lose_nothing(signer, joined, let_go, photographs, home, tmp_path):
    running = signer()
    clients = [joined(running, f"client-{number}") for number in range(3)]
    pictures = [image(photographs[number][:256, :256]) for number in range(3)]
    with ThreadPoolExecutor(3) as pool:
        released = list(pool.map(let_go, clients, pictures))
    assert sorted(actions(home)) == ["allow"] * 3
    assert unreleased(home.log()) == ()
    assert home.log().verify().ok
    indexes = {entry.log_index for one in released for entry in home.registry().by_asset(sha256_of(one))}
    assert indexes == {one.leaves[1] for one in released}
    assert len({index for one in released for index in one.leaves}) == 6


def sha256_of(released) -> str:
    return read_asset(released.path).sha256


def test_the_release_in_hand_is_finished_before_the_signer_ends(signer, joined, let_go, picture, home):
    """It is told to end between the decision and the ALLOW."""
    running = signer()
    client = joined(running)

    def end(step):
        if step == "written":
            running.server.stop.set()

    released = let_go(client, picture, progress=end)
    running.thread.join(60)
    assert not running.thread.is_alive()
    assert released.path.exists()
    assert actions(home) == ["allow"]
    assert running.said[-1] == "ended"


@pytest.mark.parametrize("form", ["GIF", "WAV"])
def test_files_that_leave_as_they_came_go_through_the_signer(client, let_go, photograph, home, form):
    if form == "GIF":
        asset = image(photograph[:64, :64], "GIF")
    else:
        out = io.BytesIO()
        with wave.open(out, "wb") as sound:
            sound.setnchannels(1)
            sound.setsampwidth(2)
            sound.setframerate(8000)
            sound.writeframes(bytes(16000))
        asset = Asset.of(out.getvalue(), "audio/wav")
    released = let_go(client, asset, "digitalCapture", "sign")
    assert released.proof.manifest.intact
    assert actions(home) == ["allow"]


def test_what_went_in_travels_with_its_bytes(client, picture, tmp_path):
    went_in = (
        Ingredient(kind=Kind.PICTURE, title="sketch.png", asset=picture),
        Ingredient(kind=Kind.ADAPTER, title="some style", sha256="0" * 64),
    )
    spec = ManifestSpec(title="a.png", claim_generator_version="1", ingredients=went_in)
    parts: list = []
    told = json.loads(json.dumps(to_wire(spec, parts)))
    assert from_wire(ManifestSpec, told, parts).ingredients == went_in
    assert parts == [picture.content]
