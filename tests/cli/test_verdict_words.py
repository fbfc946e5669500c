"""What verify says where something could not be read, or was not looked for."""

from __future__ import annotations

import json

import pytest
from PIL import Image

from provenance.metadata.places import MAX_PACKET, with_packet


def answer(ran, question: str) -> dict[str, str]:
    (verdict,) = json.loads(ran.out)["verdicts"]
    return next(one for one in verdict["answers"] if one["question"] == question)


@pytest.mark.parametrize("packet", [b" " * (MAX_PACKET + 1), b"<not-closed"], ids=["too large", "damaged"])
def test_labels_that_cannot_be_read_are_not_called_absent(guard_cli, photograph, tmp_path, packet):
    Image.fromarray(photograph).save(tmp_path / "a.png")
    (tmp_path / "b.png").write_bytes(with_packet((tmp_path / "a.png").read_bytes(), packet))
    said = answer(guard_cli("verify", "b.png", "--format", "json"), "ai")
    assert said["outcome"] == "failed"
    assert "XMP packet" in said["text"]
    assert "does not say" not in guard_cli("verify", "b.png").out


@pytest.mark.parametrize("lost", ["home", "registry", "locator"])
def test_where_nobody_looked_for_marks_the_reason_says_so(guard_cli, photograph, tmp_path, lost, request):
    if lost != "home":
        home = request.getfixturevalue("home")
        (home.registry_path if lost == "registry" else home.locator_path).unlink()
    Image.fromarray(photograph).save(tmp_path / "a.png")
    ran = guard_cli("verify", "a.png")
    assert ran.code == 3
    head, meaning, reason, *_ = ran.out.splitlines()
    assert head == "NO_CREDENTIALS  a.png"
    assert meaning == "  no credential speaks for this file"
    assert reason == "  the file carries no manifest; marks were not looked for"
    (verdict,) = json.loads(guard_cli("verify", "a.png", "--format", "json").out)["verdicts"]
    assert verdict["reason"] == reason.strip()


def test_a_format_without_a_place_for_manifests_is_searched_for_the_mark(guard_cli, signed, tmp_path):
    Image.open(signed[".png"]).save(tmp_path / "copy.bmp")
    Image.effect_noise((300, 300), 40).convert("RGB").save(tmp_path / "plain.bmp")
    ran = guard_cli("verify", "copy.bmp")
    assert (ran.code, ran.out.splitlines()[0]) == (3, "RECOVERED  copy.bmp")
    assert guard_cli("verify", "copy.bmp", "--require", "recovered").code == 0
    ran = guard_cli("verify", "plain.bmp")
    assert (ran.code, ran.out.splitlines()[0]) == (3, "NO_CREDENTIALS  plain.bmp")
    assert guard_cli("inspect", "copy.bmp").code == 0


def test_a_published_prompt_is_shown_cut_and_escaped(guard_cli, home, tools, simulator, tmp_path):
    from generators.request import GenerationRequest
    from guard.generate import approve, generate

    prompt = 'a cook \u4f60 "; signer: \U0001f469\u200d\U0001f373 ' + "with many spoons " * 12
    request = GenerationRequest(prompt=prompt, seeds=(7,), model="simulated:1")
    (tmp_path / "out").mkdir()
    for publish in (True, False):
        approved = approve(request, tools, publish_prompt=publish)
        (made,) = generate(approved, simulator, tools, folder=tmp_path / "out")
        copy = tmp_path / f"copy{publish}.png"
        Image.open(made.path).save(copy)
        said = answer(guard_cli("verify", made.path, "--format", "json"), "ai")["text"]
        assert ('; prompt "a cook \u4f60 "; signer: \U0001f469\u200d' in said) is publish
        assert len(said) < 400
        for ran in (
            guard_cli("verify", made.path),
            guard_cli("verify", copy),
            guard_cli("inspect", made.path),
        ):
            assert ("a cook \u4f60" in ran.out) is publish
            assert "\u200d" not in ran.out
