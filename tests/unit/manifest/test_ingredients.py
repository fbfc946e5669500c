"""What went into an asset: pictures with their histories, models and records by their digests."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from provenance.errors import InputError
from provenance.manifest.build import manifest_definition
from provenance.manifest.containers import find_store
from provenance.manifest.ingredient import Ingredient, Kind, digest_in, named
from provenance.manifest.read import read_manifest
from provenance.manifest.reading import ManifestState
from provenance.manifest.rubric import examine, lint
from provenance.manifest.rubric_view import of_store
from provenance.manifest.sign import sign
from provenance.media import Asset

WEIGHTS = Ingredient(kind=Kind.MODEL, title="emoji", sha256="ab" * 32, type_="c2pa.types.model.pytorch")
ADAPTER = Ingredient(kind=Kind.ADAPTER, title="style.safetensors", sha256="cd" * 32)
RECORD = Ingredient(kind=Kind.TRAINING, title="record.json", sha256="ef" * 32)


def changed(asset: Asset) -> Asset:
    """A pixel byte of it flipped, near the end."""
    data = bytearray(asset.data)
    data[-40] ^= 1
    return Asset.of(bytes(data), asset.mime)


@pytest.fixture(scope="module")
def made(picture, spec, signer, trust, signed):
    """Everything at once, over a picture created anew."""
    init = Ingredient(kind=Kind.PICTURE, title="sketch.png", asset=signed().asset)
    logo = Ingredient(kind=Kind.COMPONENT, title="logo.jpg", asset=picture("image/jpeg"))
    full = replace(spec, ingredients=(init, logo, WEIGHTS, ADAPTER, RECORD), weights_sha256="12" * 32)
    return sign(picture(), replace(full, model_identifier="pkg:huggingface/o/m@c"), signer, trust=trust)


def test_every_kind_comes_back_with_its_relationship_type_and_digest(made, trust):
    found = {item.title: item for item in read_manifest(made.asset, trust).ingredients}
    assert found["sketch.png"].relationship == "inputTo"
    assert found["logo.jpg"].relationship == "componentOf"
    assert found["emoji"].types == ("c2pa.types.model.pytorch",)
    assert found["emoji"].sha256 == "ab" * 32
    assert found["style.safetensors"].sha256 == "cd" * 32
    assert found["record.json"].types == ("c2pa.types.dataset",)
    assert found["sketch.png"].sha256 is None


def test_training_records_are_bound_in_an_assertion_of_their_own(made, trust):
    assert read_manifest(made.asset, trust).training_records == ("ef" * 32,)


def test_the_disclosure_names_model_and_weights(made, trust):
    reading = read_manifest(made.asset, trust)
    assert (reading.model_identifier, reading.weights_sha256) == ("pkg:huggingface/o/m@c", "12" * 32)


def test_an_init_picture_keeps_its_manifest(made, signed, trust):
    sketch = read_manifest(made.asset, trust).ingredients
    (own,) = [item.label for item in sketch if item.title == "sketch.png"]
    assert own == signed().reading.label


def test_it_passes_the_rubric_before_and_after(made, spec, trust):
    with_all = replace(spec, ingredients=(WEIGHTS, RECORD))
    assert lint(manifest_definition(with_all)) == ()
    assert lint(manifest_definition(with_all, with_parent=True, converted=True)) == ()
    reading = read_manifest(made.asset, trust)
    assert examine(of_store(find_store(made.asset.content).store, reading.failures)) == ()


def test_the_lists_of_the_signer_vouch_for_what_is_taken_in(made, trust):
    """Validated against no list, an ingredient would be called untrusted for ever."""
    for item in read_manifest(made.asset, trust).ingredients:
        assert item.recorded == ()


def test_an_altered_init_picture_is_never_laundered(picture, spec, signer, trust, signed):
    bad = Ingredient(kind=Kind.PICTURE, title="sketch.png", asset=changed(signed().asset))
    made = sign(picture(), replace(spec, ingredients=(bad,)), signer, trust=trust)
    assert made.reading.state is ManifestState.HISTORY_PROBLEM


def test_an_init_picture_that_cannot_be_read_is_refused(picture, spec, signer, trust, signed):
    store = find_store(signed().asset.content)
    data = bytearray(signed().asset.data)
    start = store.pieces[0].file
    data[start + 4 : start + 8] = b"junk"
    broken = Ingredient(kind=Kind.PICTURE, title="x", asset=Asset.of(bytes(data), "image/png"))
    with pytest.raises(InputError) as caught:
        sign(picture(), replace(spec, ingredients=(broken,)), signer, trust=trust)
    assert caught.value.code == "sign.parent-unreadable"


def test_another_format_is_a_conversion_and_a_signed_source_is_never_created_anew(
    picture, spec, signer, trust, signed
):
    converted = sign(picture("image/jpeg"), spec, signer, trust=trust, parent=signed().asset).reading
    assert converted.actions[0] == "c2pa.opened"
    assert "c2pa.converted" in converted.actions
    again = sign(signed().asset, spec, signer, trust=trust).reading
    assert "c2pa.created" not in again.actions
    assert "c2pa.converted" not in again.actions
    assert again.ingredients[0].relationship == "parentOf"


@pytest.mark.parametrize("choice", ["allowed", "notAllowed", "constrained"])
def test_the_choice_about_training_comes_back(picture, spec, signer, trust, choice):
    reading = sign(picture(), replace(spec, training_mining=choice), signer, trust=trust).reading
    assert set(reading.training_mining.values()) == {choice}
    assert "cawg.ai_generative_training" in reading.training_mining


@pytest.mark.parametrize(
    "fields",
    [
        {"kind": Kind.MODEL, "title": "m"},
        {"kind": Kind.MODEL, "title": "m", "sha256": "AB" * 32},
        {"kind": Kind.MODEL, "title": "models/m", "sha256": "ab" * 32},
        {"kind": Kind.MODEL, "title": "m", "sha256": "ab" * 32, "type_": "model"},
        {"kind": Kind.PICTURE, "title": "p"},
        {"kind": Kind.PICTURE, "title": "p", "asset": Asset.of(b"x", "image/png"), "sha256": "ab" * 32},
        {"kind": Kind.ADAPTER, "title": "", "sha256": "ab" * 32},
    ],
)
def test_ingredients_that_make_no_sense(fields):
    with pytest.raises(InputError) as caught:
        Ingredient(**fields)
    assert caught.value.code == "manifest.bad-value"


@given(st.binary(min_size=32, max_size=32))
def test_a_digest_survives_its_name(raw):
    assert digest_in(named(raw.hex())) == raw.hex()


@example("ni:///sha-256;" + "\x80" * 43)
@given(st.one_of(st.text(), st.integers(), st.text().map(lambda end: "ni:///sha-256;" + end)))
def test_any_other_name_holds_no_digest(name):
    found = digest_in(name)
    assert found is None or named(found) == name


def test_a_signer_in_another_process_is_told_of_every_ingredient(spec, picture):
    from guard.signer.values import from_wire, to_wire
    from provenance.manifest.spec import ManifestSpec

    init = Ingredient(kind=Kind.PICTURE, title="sketch.png", asset=picture())
    asked = replace(spec, ingredients=(init, WEIGHTS, ADAPTER, RECORD), weights_sha256="12" * 32)
    carried: list = []
    told = from_wire(ManifestSpec, to_wire(asked, carried), carried)
    assert told.ingredients == asked.ingredients
    assert told.ingredients[0].asset.data == picture().data
