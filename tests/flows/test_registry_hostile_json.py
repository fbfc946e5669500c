"""Published JSON in which any field may be anything: guard's own errors, counted rows, and nothing else."""

from __future__ import annotations

import json
import secrets
import shutil
from datetime import UTC, datetime

import pytest
from PIL import Image
from simulators.poisoner import put, sign

from guard.api import recover_file, release_file, verify_file
from guard.home import Home
from guard.lookup import Sources
from guard.registries import add, kept_registries, publish, update
from guard.setup import initialise
from guard.withdrawing import withdraw
from provenance.errors import Error
from provenance.keys import create_locator_key, load_log_key
from provenance.registry_published import PublishedRegistry
from provenance.registry_source import FetchLimits

NOW = datetime.now(UTC)
BINDING, CONTENT, REFERENCE = (f"matches/by{kind}/all.json" for kind in ("Binding", "Content", "Reference"))
HOSTILE = (
    None, True, -1, 1.5, 2**70, float("nan"), float("inf"), "", "\ud800", "\x1b[31m", "../x", "0" * 64,
    "x" * 5000, [], ["x"], [[]], {}, {"a": 1}, [{"a": []}],
)  # fmt: skip
DROPPED = object()


@pytest.fixture(scope="module")
def world(tmp_path_factory, photographs):
    """An installation with two releases, one of them withdrawn; its registry, and a stripped copy."""
    folder = tmp_path_factory.mktemp("hostile")
    home = Home(folder=folder / "home")
    initialise(home, now=NOW, random=secrets.token_bytes)
    (folder / "out").mkdir()
    for number in range(2):
        Image.fromarray(photographs[number]).save(folder / f"{number}.png")
        out = folder / "out" / f"{number}.png"
        release_file(folder / f"{number}.png", out, source="digitalCapture", home=home)
    withdraw(home, str(folder / "out" / "1.png"), "by mistake", now=NOW, random=secrets.token_bytes)
    publish(home, folder / "pub", locator=True, now=NOW)
    with Image.open(folder / "out" / "0.png") as picture:
        picture.convert("RGB").save(folder / "copy.jpg", quality=80)
    initialise(Home(folder=folder / "reader"), now=NOW, random=secrets.token_bytes)
    return folder


@pytest.fixture
def registry(world, tmp_path):
    return shutil.copytree(world / "pub", tmp_path / "pub")


@pytest.fixture
def signer(world):
    return load_log_key(Home(folder=world / "home").log_key_path)


@pytest.fixture
def reader(world, tmp_path):
    return Home(folder=shutil.copytree(world / "reader", tmp_path / "reader"))


def places(document, at=()):
    """Where in ``document`` something stands, its insides included; of long lists the first two."""
    if at:
        yield at
    inside = document.items() if isinstance(document, dict) else ()
    inside = enumerate(document[:2]) if isinstance(document, list) else inside
    for name, value in inside:
        yield from places(value, (*at, name))


def changed(document, at, value):
    found = json.loads(json.dumps(document))
    holder = found
    for name in at[:-1]:
        holder = holder[name]
    if value is DROPPED:
        del holder[at[-1]]
    else:
        holder[at[-1]] = value
    return json.dumps(found).encode()


def json_files(folder):
    """Of manifests the first one's files."""
    one = sorted(folder.glob("manifests/*"))[0]
    found = [path for path in sorted(folder.rglob("*")) if path.is_file() and path.parent.name != "log"]
    for path in found:
        if "manifests" in path.parts and path.parent != one:
            continue
        if (
            path.suffix == ".json"
            or path.name == "receipts"
            or path.parent.name in ("services", ".well-known")
        ):
            yield str(path.relative_to(folder))


def attempt(action, *arguments, **options):
    """What comes of it; only errors of guard are allowed."""
    try:
        return action(*arguments, **options)
    except Error as error:
        return error


def looked_into(folder, marks):
    registry = PublishedRegistry.open(folder)
    for look in (registry.locators, registry.withdrawals, lambda: list(registry.fingerprints())):
        attempt(look)
    for mark in marks:
        registry.look_up(*mark)


@pytest.mark.parametrize("turn", [0, *(pytest.param(turn, marks=pytest.mark.slow) for turn in (1, 2, 3))])
def test_whatever_stands_in_a_field_only_errors_of_guard_come_of_it(turn, registry, signer, reader):
    marks = [row.mark for row in PublishedRegistry.open(registry).rows("matches/byBinding", BINDING)[0]]
    assert len(marks) == 2
    values, tried = (*HOSTILE, DROPPED), 0
    for path in json_files(registry):
        whole = (registry / path).read_bytes()
        for at in places(json.loads(whole)):
            # Each field meets one value a turn, and each value many fields.
            put(registry, path, changed(json.loads(whole), at, values[(7 * turn + tried) % len(values)]))
            sign(registry, signer)
            attempt(looked_into, registry, marks)
            attempt(add, reader, str(registry), name="them", at=NOW, limits=FetchLimits())
            tried += 1
        put(registry, path, whole)
    assert tried > 70


def edited(folder, signer, path, change):
    document = json.loads((folder / path).read_bytes())
    change(document)
    put(folder, path, json.dumps(document).encode())
    sign(folder, signer)


def set_in_row(field, value):
    return lambda document: document["matches"][0].update({field: value})


@pytest.mark.parametrize(
    ("path", "field", "value", "why"),
    [
        (BINDING, "manifestId", {"a": 1}, "malformed"),
        (BINDING, "manifestId", "0" * 64, "does not name it"),
        (BINDING, "alg", ["x"], "malformed"),
        (BINDING, "epoch", float("nan"), "malformed"),
        (BINDING, "epoch", 2, "under a key that the registry does not come with"),
        (BINDING, "keyId", "0" * 16, "under a key that the registry does not come with"),
        (BINDING, "keyId", {}, "malformed"),
        (CONTENT, "manifestId", [], "malformed"),
        (CONTENT, "alg", "x", "not that of the signed digest"),
        (REFERENCE, "manifestId", [], "malformed"),
        (REFERENCE, "sha256", "0" * 64, "the log did not allow for it"),
        (REFERENCE, "sha256", 7, "malformed"),
    ],
)
def test_a_row_that_does_not_hold_is_counted_and_hides_no_other(
    path, field, value, why, registry, signer, reader, world
):
    """The other row is looked up as before, here and by whoever has the folder alone."""
    edited(registry, signer, path, set_in_row(field, value))
    checked = add(reader, str(registry), name="them", at=NOW, limits=FetchLimits()).checked
    assert (checked.refused, len(checked.why)) == (1, 1)
    assert why in checked.why[0]
    opened = PublishedRegistry.open(registry)
    (mark, *_), _ = opened.rows("matches/byBinding", BINDING)
    found = opened.look_up(*mark.mark)
    assert any("malformed rows (1)" in note for note in found.notes) == (
        path == BINDING and why == "malformed"
    )


def test_rows_in_another_file_than_theirs_are_counted(registry, signer, reader):
    """A look-up would never open it."""
    put(registry, "matches/byBinding/aa.json", (registry / BINDING).read_bytes())
    sign(registry, signer)
    checked = add(reader, str(registry), name="them", at=NOW, limits=FetchLimits()).checked
    assert (checked.ids, checked.refused) == (2, 2)
    assert checked.why == ("a row of a look-up table is not in the file for it (2)",)


@pytest.mark.parametrize(
    ("field", "value"), [("epoch", {}), ("epoch", 2**70), ("kind", "log"), ("secret", 1)]
)
def test_a_key_that_is_none_refuses_the_registry(field, value, registry, signer, reader):
    locator = f"locator/{next((registry / 'locator').iterdir()).name}"
    edited(registry, signer, locator, lambda document: document.update({field: value}))
    with pytest.raises(Error) as caught:
        add(reader, str(registry), name="them", at=NOW, limits=FetchLimits())
    assert caught.value.code == "registry.published-damaged"
    assert caught.value.where == locator
    assert kept_registries(reader).names() == ()


def test_recover_and_verify_go_on_beside_a_malformed_row(registry, signer, reader, world):
    edited(registry, signer, BINDING, lambda document: document["matches"].append({"manifestId": {"a": 1}}))
    sources = Sources(home=reader, folders=[registry])
    found = recover_file(world / "copy.jpg", home=reader, sources=sources)
    assert found.state.name == "RECOVERED"
    assert any("malformed rows (1)" in note for note in found.notes)
    assert verify_file(world / "out" / "0.png", home=reader, sources=sources).state.name == "UNKNOWN_SIGNER"
    assert add(reader, str(registry), name="them", at=NOW, limits=FetchLimits()).checked.refused == 1
    assert update(reader, "them", at=NOW, limits=FetchLimits()).new is False


@pytest.mark.parametrize("sizes", [(8, 16), (16, 8), (16,)])
def test_ids_in_a_registry_have_64_bits_whatever_the_key_is_for(sizes, photographs, tmp_path):
    home = Home(folder=tmp_path / "home")
    initialise(home, now=NOW, random=secrets.token_bytes)
    home.locator_path.unlink()
    create_locator_key(home.locator_path, payload_sizes=sizes)
    Image.fromarray(photographs[0]).save(tmp_path / "in.png")
    if sizes == (16,):
        with pytest.raises(Error) as caught:
            release_file(tmp_path / "in.png", tmp_path / "out.png", source="digitalCapture", home=home)
        assert caught.value.code == "watermark.payload-size"
        return
    release_file(tmp_path / "in.png", tmp_path / "out.png", source="digitalCapture", home=home)
    publish(home, tmp_path / "pub", locator=True, now=NOW)
    (row,), malformed = PublishedRegistry.open(tmp_path / "pub").rows("matches/byBinding", BINDING)
    assert (len(row.value), malformed) == (8, 0)
