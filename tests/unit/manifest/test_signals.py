"""The words of the C2PA signals rubric for what a manifest says of its making."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from guard.api import verify_file
from provenance.manifest.rubric_terms import ACTIONS
from provenance.manifest.signals import BEGINNINGS, GENERATED, OTHERWISE, POSSIBLY, signals

IPTC = "http://cv.iptc.org/newscodes/digitalsourcetype/"
C2PA = "http://c2pa.org/digitalsourcetype/"
WORDS = frozenset({*BEGINNINGS.values(), GENERATED, POSSIBLY, OTHERWISE})
SCHEMA = Path(__file__).parents[3] / "docs" / "reference" / "verdict.schema.json"


def did(action: object, made: object) -> dict[str, object]:
    return {"action": action, "digitalSourceType": made}


@pytest.mark.parametrize(
    ("actions", "words"),
    [
        ([did("c2pa.created", IPTC + "trainedAlgorithmicMedia")], ("Fully GenAI Media",)),
        ([did("c2pa.created", IPTC + "computationalCapture")], ("Captured Media",)),
        ([did("c2pa.created", C2PA + "empty")], ("Blank Canvas",)),
        ([did("c2pa.created", "https" + IPTC[4:] + "digitalCapture")], ("Captured Media",)),
        ([did("c2pa.created", IPTC + "humanEdits")], ()),
        ([did("c2pa.created", None), did("c2pa.opened", None)], ()),
        ([did("c2pa.edited", C2PA + "trainedAlgorithmicData")], (GENERATED,)),
        ([did("c2pa.edited", IPTC + "digitalArt")], (POSSIBLY,)),
        ([did("c2pa.cropped", IPTC + "humanEdits")], (OTHERWISE,)),
        ([did("c2pa.edited", None)], ()),
        ([did("c2pa.watermarked.bound", IPTC + "trainedAlgorithmicMedia")], ()),
    ],
)
def test_each_statement_in_its_word(actions, words):
    assert signals(actions) == words


def test_the_beginning_comes_first_and_each_word_once():
    edit = did("c2pa.edited", IPTC + "trainedAlgorithmicMedia")
    begun = did("c2pa.created", IPTC + "digitalCapture")
    assert signals([edit, begun, edit, did("c2pa.cropped", IPTC + "humanEdits")]) == (
        "Captured Media",
        GENERATED,
        OTHERWISE,
    )


_odd = st.one_of(st.none(), st.integers(), st.text(max_size=20), st.lists(st.integers(), max_size=2))
_names = st.one_of(_odd, st.sampled_from(sorted(ACTIONS)))
_types = st.one_of(_odd, st.sampled_from(sorted(BEGINNINGS)))


@given(st.lists(st.builds(did, _names, _types), max_size=6))
def test_whatever_a_file_holds_only_words_of_the_rubric_are_said(actions):
    assert set(signals(actions)) <= WORDS


def test_the_schema_names_the_same_words():
    told = json.loads(SCHEMA.read_text(encoding="utf-8"))["$defs"]["evidence"]["allOf"][0]["then"]
    assert set(told["properties"]["detail"]["properties"]["signals"]["items"]["enum"]) == WORDS


def test_verify_says_it_and_that_the_manifest_says_it(guard_cli, home, photograph, tmp_path):
    path = tmp_path / "signed.png"
    Image.fromarray(photograph[:96, :96]).save(tmp_path / "in.png")
    assert guard_cli("sign", "in.png", "--source", "generated", "-o", path).code == 0
    verdict = verify_file(path, home=home)
    assert verdict.manifest.signals == ("Fully GenAI Media",)
    (said,) = (answer.text for answer in verdict.answers if answer.question == "ai")
    assert ": Fully GenAI Media, says the manifest" in said

    ran = guard_cli("sign", path, "--source", "generated", "-o", "again.png")
    assert ran.code == 0, ran.err
    assert verify_file(tmp_path / "again.png", home=home).manifest.signals == (GENERATED,)
    told = json.loads(guard_cli("verify", "again.png", "--format", "json").out)
    (detail,) = (one["detail"] for one in told["verdicts"][0]["evidence"] if one["channel"] == "c2pa")
    assert detail["signals"] == [GENERATED]
