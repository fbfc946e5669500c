"""From released pictures back to the same pixels, by the bundled model; and what must not be drawn again."""

from __future__ import annotations

import dataclasses
import json
import secrets
import shutil
from datetime import UTC, datetime
from functools import cache

import pytest
import torch
from safetensors.torch import save_file

from generators.registry import load
from generators.replay import Likeness
from generators.request import AdapterRef, GenerationRequest
from guard.drawing import Drawing
from guard.errors import Denied, Refused
from guard.generate import approve, generate
from guard.home import Home
from guard.latent import Shading
from guard.records import Progress
from guard.repeatable import find
from guard.replay import deciding, replay
from guard.setup import initialise
from guard.tools import assemble
from provenance.errors import ConfigurationError, InputError, IntegrityError

PROMPT = "a portrait of a grumpy judge"
STRICT = """\
apiVersion: guard.policy/v1
kind: PolicyPack
metadata: {name: strict, version: 1.0.0, sources: [{id: here, title: "a test", confidence: high}]}
spec:
  default: {prompt: allow, plan: allow}
  rules:
    - id: strict.never
      stage: [%s]
      source: here
      require: "false"
      on_fail: deny
      message: {en: Not today, zh: 今日不可}
"""


@pytest.fixture(scope="module")
def emoji():
    """Loaded once; as many threads as a recipe says are set before each replay, as loading does."""
    return load("bundled:emoji", threads=1)


@pytest.fixture
def loader(emoji):
    return lambda _reference, threads: dataclasses.replace(emoji, threads=threads)


def drawn(emoji, tools, folder, count, *, latents=None, **changes):
    """``count`` pictures released into ``folder``, all in one batch."""
    (folder / "out").mkdir(exist_ok=True)
    seeds = tuple(range(11, 11 + count))
    request = GenerationRequest(prompt=PROMPT, seeds=seeds, num_inference_steps=2, **changes)
    approved = approve(request, tools)
    return list(generate(approved, emoji, tools, folder=folder / "out", latents=latents))


@pytest.fixture(scope="module")
def drawn_once(emoji, tmp_path_factory):
    """A folder with a home and ``count`` pictures that were released there, and what released them gave."""

    @cache
    def made(count):
        folder = tmp_path_factory.mktemp(f"drawn-{count}")
        made_home = Home(folder=folder / "home")
        initialise(made_home, now=datetime.now(UTC), random=secrets.token_bytes)
        tools = assemble(made_home)
        released = drawn(emoji, tools, folder, count)
        tools.registry.close()  # what it has beside it is written back; a copy has to be whole
        return folder, released

    return made


@pytest.fixture
def draw(home, drawn_once, tmp_path):
    """As if the pictures had been drawn in the home of the test: a copy, as drawing them takes long."""

    def there(count=3):
        folder, released = drawn_once(count)
        shutil.rmtree(home.folder)
        shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
        for record in home.records_folder.glob("*.json"):
            record.write_text(record.read_text().replace(str(folder), str(tmp_path)))
        return [dataclasses.replace(one, path=tmp_path / "out" / one.path.name) for one in released]

    return there


def again(home, name, loader, **how):
    return replay(find(str(name), home.records()), deciding(home), load=loader, **how)


def record_of(home, released):
    (found,) = home.records().of_asset(released.signed.asset.sha256)
    return home.records().read(found)


def rewrite(home, record, **fields):
    home.records().write(dataclasses.replace(record, **fields))


def test_every_picture_of_a_batch_comes_again_exactly_by_any_of_its_names(home, draw, loader):
    released = draw(3)
    for index, one in enumerate(released):
        record = record_of(home, one)
        names = (one.path, record.content_id, record.record_id)
        done = again(home, names[index], loader)
        assert (done.likeness, done.compared) == (Likeness.EXACT, "digest")
        assert (done.seed, done.batch_index, done.batch_size) == (11 + index, index, 3)
        assert (done.changes, done.reasons, done.distance) == ((), (), None)


def test_the_record_keeps_what_a_replay_needs_and_nothing_else_does(home, draw, tmp_path):
    (one, _) = draw(2)
    record = record_of(home, one)
    drawing = Drawing.read(record.drawing)
    assert drawing.seeds == (11, 12)
    assert drawing.prompt == PROMPT
    assert drawing.prompt_used == "a portrait of a judge"
    assert [warned.code for warned in drawing.warnings] == ["prompt.unknown-words"]
    assert "grumpy" in drawing.warnings[0].message
    assert drawing.energy.joules > 0
    assert drawing.energy.method in ("measured", "estimated")
    assert Drawing.read(drawing.text()) == drawing
    assert (drawing.model, "drawing" in json.loads(record.recipe)) == ("bundled:emoji", False)
    for file in (*(tmp_path / "out").iterdir(), *home.log_folder.rglob("*"), home.registry_path):
        if file.is_file():
            assert drawing.pixels_sha256.encode() not in file.read_bytes()
            assert bytes.fromhex(drawing.pixels_sha256) not in file.read_bytes()
            assert b"grumpy" not in file.read_bytes()


def test_what_is_not_as_it_was_is_named(home, draw, loader):
    released = draw(1)[0]
    record = record_of(home, released)
    recipe = json.loads(record.recipe)
    recipe["environment"]["libraries"]["torch"] = "1.0"
    rewrite(home, record, recipe=json.dumps(recipe))
    done = again(home, released.path, loader)
    assert [change.what for change in done.changes] == ["environment.libraries.torch"]
    assert done.likeness is Likeness.EXACT


def test_pixels_that_are_not_those_of_then_are_held_against_the_released_file(home, draw, loader):
    released = draw(1)[0]
    record = record_of(home, released)
    changed = dataclasses.replace(Drawing.read(record.drawing), pixels_sha256="0" * 64)
    rewrite(home, record, drawing=changed.text())
    done = again(home, released.path, loader)
    assert (done.likeness, done.compared) == (Likeness.PERCEPTUAL, "file")
    assert "mark included" in done.reasons[0]
    released.path.unlink()
    done = again(home, record.record_id, loader)
    assert (done.likeness, done.distance) == (Likeness.DIFFERS, None)
    assert "not at hand" in done.reasons[0]


def test_a_record_without_the_digest_is_held_against_the_released_file(home, draw, loader, tmp_path):
    released = draw(1)[0]
    rewrite(home, record_of(home, released), drawing=None)
    done = again(home, released.path, loader)
    assert (done.likeness, done.compared) == (Likeness.PERCEPTUAL, "file")
    assert done.distance.psnr == pytest.approx(released.signed.marked.mark.psnr, abs=0.5)
    assert done.distance.largest < 40
    assert "carries a mark" in done.reasons[0]
    shutil.move(released.path, tmp_path / "moved.png")
    assert again(home, tmp_path / "moved.png", loader).likeness is Likeness.PERCEPTUAL
    with pytest.raises(InputError) as caught:
        again(home, record_of(home, released).content_id, loader)
    assert caught.value.code == "replay.nothing-to-compare"


def test_other_words_or_another_seed_are_another_picture(home, draw, loader):
    released = draw(1)[0]
    record = record_of(home, released)
    rewrite(home, record, prompt="a portrait of a cook")
    done = again(home, released.path, loader)
    assert done.likeness is Likeness.DIFFERS
    assert done.distance.psnr < 30
    assert [change.what for change in done.changes] == ["words after review"]
    assert "cook" not in str(done)
    assert "judge" not in str(done)


def test_a_latent_mark_is_made_again(home, tools, emoji, loader, tmp_path):
    shading = Shading(key=tools.marker.key, random=tools.random)
    released = drawn(emoji, tools, tmp_path, 2, latents=shading)
    assert again(home, released[1].path, loader).likeness is Likeness.EXACT
    bare = dataclasses.replace(deciding(home), locators=())
    with pytest.raises(ConfigurationError) as caught:
        replay(find(str(released[0].path), home.records()), bare, load=loader)
    assert caught.value.code == "replay.key-gone"


def test_adapters_are_laid_over_again_and_have_to_be_the_files_of_then(
    home, tools, emoji, loader, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    width = emoji.pipeline.text_encoder.get_input_embeddings().weight.shape[1]
    save_file({"<pet>": torch.ones(1, width)}, "pet.safetensors")
    released = drawn(emoji, tools, tmp_path, 2, adapters=(AdapterRef(ref="pet.safetensors"),))
    monkeypatch.chdir(tmp_path / "out")
    assert again(home, released[1].path, loader).likeness is Likeness.EXACT
    save_file({"<pet>": torch.zeros(1, width)}, tmp_path / "pet.safetensors")
    with pytest.raises(InputError) as caught:
        again(home, released[1].path, loader)
    assert (caught.value.code, caught.value.where) == (
        "replay.adapter-changed",
        str(tmp_path / "pet.safetensors"),
    )
    (tmp_path / "pet.safetensors").unlink()
    with pytest.raises(InputError) as caught:
        again(home, released[1].path, loader)
    assert caught.value.code == "adapter.not-found"


def test_fast_profiles_come_again_exactly_and_only_with_their_record(home, tools, emoji, loader, tmp_path):
    profiles = ("few-steps", "reuse", "int8", "pruned", "sliced")
    one, _ = drawn(emoji, tools, tmp_path, 2, fast=profiles)
    done = again(home, one.path, loader)
    assert (done.likeness, done.changes) == (Likeness.EXACT, ())
    record = record_of(home, one)
    recipe = json.loads(record.recipe)
    assert {profile["name"] for profile in recipe["fast"]} == set(profiles)
    # Without the digest on record the recipe alone says how it was drawn.
    rewrite(home, record, drawing=None)
    assert again(home, one.path, loader).changes == ()


def test_a_profile_that_nobody_knows_is_an_error_of_the_command(home, guard_cli):
    ran = guard_cli("generate", "a judge", "--fast", "hyper", "-o", "out")
    assert ran.code == 2
    assert "error[request.fast]" in ran.err
    assert "few-steps" in ran.err


def test_hooks_of_somebody_else_are_not_left_out(home, draw, loader):
    released = draw(1)[0]
    record = record_of(home, released)
    recipe = json.loads(record.recipe)
    recipe["hooks"] = [{"name": "steer", "version": "1", "parameters": {}}]
    rewrite(home, record, recipe=json.dumps(recipe))
    with pytest.raises(InputError, match="steer") as caught:
        again(home, released.path, loader)
    assert caught.value.code == "replay.hook"


def test_what_was_refused_is_never_drawn_again(home, draw):
    def never(_reference, _threads):
        raise AssertionError("a model was loaded")

    first, second = draw(2)
    rewrite(home, record_of(home, second), progress=Progress.DENIED)
    with pytest.raises(Refused) as caught:
        again(home, second.path, never)
    assert (caught.value.code, caught.value.exit_code) == ("replay.denied", 1)
    # Nor beside another picture of its batch.
    assert find(str(first.path), home.records()).seeds == (11, 11)


def test_a_batch_comes_again_exactly_without_the_one_that_was_refused(home, draw, loader):
    released = draw(2)
    rewrite(home, record_of(home, released[0]), progress=Progress.DENIED)
    done = again(home, released[1].path, loader)
    assert done.likeness is Likeness.EXACT


def test_what_was_refused_and_later_allowed_may_be_drawn(home, draw, emoji, tmp_path):
    denied = draw(1)[0]
    rewrite(home, record_of(home, denied), progress=Progress.DENIED)
    (allowed,) = drawn(emoji, assemble(home), tmp_path, 1)
    assert find(str(allowed.path), home.records()).seeds == (11,)


@pytest.mark.parametrize("stage", ["prompt", "plan"])
def test_the_packs_of_today_are_asked_before_anything_is_drawn(home, draw, emoji, tmp_path, stage):
    released = draw(1)[0]
    pack = tmp_path / "strict.yaml"
    pack.write_text(STRICT % stage)

    class Silent:
        info = emoji.info

        def generate(self, request, hooks=(), *, latents=None):
            raise AssertionError("something was drawn")

    known = find(str(released.path), home.records())
    with pytest.raises(Denied, match="Not today"):
        replay(known, deciding(home, policy=f"default,{pack}"), load=lambda _ref, _threads: Silent())


def test_nothing_is_written(home, draw, loader, tmp_path):
    released = draw(1)[0]
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    again(home, released.path, loader)
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before


def test_an_edited_record_is_a_damaged_record(home, draw, loader):
    (released,) = draw(1)
    record = record_of(home, released)
    edits = [
        ("recipe", None),
        ("recipe", {"seed": "x"}),
        ("recipe", {"batch_index": -1}),
        ("recipe", {"batch_size": 10**9}),
        ("drawing", {"asked": {"width": "x"}}),
        ("drawing", {"asked": {"prompt": "other words"}}),
        ("drawing", {"seeds": ["x"]}),
        ("drawing", {"options": [1]}),
        ("drawing", {"model": 5}),
        ("drawing", {"inputs": 5}),
        ("drawing", {"asked": {"num_inference_steps": True}}),
        ("drawing", {"asked": {"scheduler": ["euler"]}}),
        ("drawing", {"adapters": [{"ref": 5, "scale": 1.0}]}),
    ]
    environment = json.loads(record.recipe)["environment"]
    edits += [("recipe", {"environment": environment | {"threads": one}}) for one in (-1, "x", True, 2**70)]
    for part, change in edits:
        text = "{" if change is None else json.dumps(json.loads(getattr(record, part)) | change)
        home.records().write(dataclasses.replace(record, **{part: text}))
        with pytest.raises(IntegrityError) as damaged:
            again(home, record.record_id, loader)
        assert damaged.value.code == "record.damaged", (part, change)


def test_names_that_lead_nowhere(home, signed, loader, tmp_path):
    with pytest.raises(InputError) as caught:
        again(home, signed[".png"], loader)
    assert caught.value.code == "replay.no-recipe"
    for name in ("00" * 8, "00" * 16, "nothing.png", ""):
        with pytest.raises(InputError) as caught:
            again(home, name, loader)
        assert caught.value.code == "record.unknown"
