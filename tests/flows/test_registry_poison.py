"""Registries by people who mean harm: what they can do is bounded, told, and never believed."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import shutil
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from simulators.https import HttpsServer
from simulators.loopback import Answer
from simulators.poisoner import edit, put, sign, sign_listing

from guard.api import recover_file, release_file
from guard.home import Home
from guard.lookup import Sources
from guard.registries import add, kept_registries, publish
from guard.setup import initialise
from guard.verdict import State
from provenance.errors import Error
from provenance.keys import load_log_key
from provenance.registry_entry import MOST_UNDER_ONE_ID
from provenance.registry_layout import bucket_path, bucket_paths, is_safe, prefix_length
from provenance.registry_published import PublishedRegistry
from provenance.registry_source import FetchLimits

NOW = datetime.now(UTC)
BUCKET = "matches/byBinding/all.json"


@pytest.fixture(scope="module")
def world(tmp_path_factory, photographs):
    """An installation that released two pictures, its registry, and a stripped copy of the first."""
    folder = tmp_path_factory.mktemp("world")
    home = Home(folder=folder / "home")
    initialise(home, now=NOW, random=secrets.token_bytes)
    (folder / "out").mkdir()
    for number in range(2):
        Image.fromarray(photographs[number]).save(folder / f"{number}.png")
        release_file(
            folder / f"{number}.png", folder / "out" / f"{number}.png", source="digitalCapture", home=home
        )
    publish(home, folder / "pub", locator=True, now=NOW)
    with Image.open(folder / "out" / "0.png") as picture:
        picture.convert("RGB").save(folder / "copy.jpg", quality=80)
    return folder


@pytest.fixture
def registry(world, tmp_path):
    return shutil.copytree(world / "pub", tmp_path / "pub")


@pytest.fixture
def signer(world):
    return load_log_key(Home(folder=world / "home").log_key_path)


@pytest.fixture
def stranger(tmp_path):
    made = Home(folder=tmp_path / "stranger")
    initialise(made, now=NOW, random=secrets.token_bytes)
    return made


def found_in(folder, world, tmp_path):
    nowhere = Home(folder=tmp_path / "nowhere")
    return recover_file(world / "copy.jpg", home=nowhere, sources=Sources(home=nowhere, folders=[folder]))


def added(home, place, **limits):
    return add(home, str(place), name="them", at=NOW, limits=FetchLimits(**limits))


def code_of(action, *arguments, **options):
    with pytest.raises(Error) as caught:
        action(*arguments, **options)
    return caught.value.code


def rows(folder):
    return json.loads((folder / BUCKET).read_bytes())["matches"]


MIRRORS = {
    "drops a manifest": lambda folder: next(folder.glob("manifests/*/manifest.c2pa")).unlink(),
    "changes a manifest": lambda folder: put(
        folder, str(next(folder.glob("manifests/*/manifest.c2pa")).relative_to(folder)), b"x" * 4000
    ),
    "empties a bucket": lambda folder: edit(folder, BUCKET, lambda document: document.update(matches=[])),
    "adds a file": lambda folder: put(folder, "manifests/extra", b"x"),
    "puts a link": lambda folder: (
        (folder / "withdrawn.json").rename(folder.parent / "w"),
        (folder / "withdrawn.json").symlink_to(folder.parent / "w"),
    ),
    "drops a locator key": lambda folder: shutil.rmtree(folder / "locator"),
    "cuts the log": lambda folder: shutil.rmtree(folder / "log" / "tile"),
    "changes the snapshot": lambda folder: put(
        folder, "snapshot", (folder / "snapshot").read_bytes().replace(b"sequence 1", b"sequence 2")
    ),
    "lists other files": lambda folder: put(folder, "SHA256SUMS", b""),
}


@pytest.mark.parametrize("how", MIRRORS)
def test_a_mirror_that_changes_anything_is_refused(how, registry, stranger, world, tmp_path):
    MIRRORS[how](registry)
    fine = added(stranger, world / "pub") if how == "adds a file" else None
    if fine is not None:  # a file that nobody lists is not even looked at
        return
    assert code_of(added, stranger, registry).startswith("registry.published-")
    assert kept_registries(stranger).names() == ()
    assert not list(stranger.registries_folder.glob("*/copy-*"))


def test_three_hundred_manifests_under_one_id_are_bounded_and_told(registry, signer, world, tmp_path):
    real = rows(registry)[0]

    def flood(document):
        false = [{**real, "manifestId": hashlib.sha256(b"%d" % n).hexdigest()} for n in range(300)]
        document["matches"] = [*false, *document["matches"]]

    edit(registry, BUCKET, flood)
    sign(registry, signer)
    found = found_in(registry, world, tmp_path)
    assert found.state is State.NO_CREDENTIALS  # their own entry is beyond the bound
    assert any(
        f"301 manifests under this id, of which {MOST_UNDER_ONE_ID} were" in note for note in found.notes
    )
    assert len(found.notes) == MOST_UNDER_ONE_ID + 1


def test_a_flooded_registry_does_not_hide_what_another_one_knows(registry, signer, world, tmp_path):
    false = {**rows(registry)[0], "manifestId": "0" * 64}
    edit(registry, BUCKET, lambda document: document.update(matches=[false] * 300))
    sign(registry, signer)
    nowhere = Home(folder=tmp_path / "nowhere")
    sources = Sources(home=nowhere, folders=[registry, world / "pub"])
    found = recover_file(world / "copy.jpg", home=nowhere, sources=sources)
    assert found.state is State.RECOVERED
    assert any("the publisher signed no such file" in note for note in found.notes)


def test_values_are_base64_as_the_api_has_them_and_hex_of_earlier_versions_is_read(
    registry, signer, world, stranger, tmp_path
):
    for path in (BUCKET, "matches/byContent/all.json"):
        values = [row["value"] for row in json.loads((registry / path).read_bytes())["matches"]]
        assert [len(base64.b64decode(value, validate=True)) for value in values] == [8, 8]

        def as_before(document):
            for row in document["matches"]:
                row["value"] = base64.b64decode(row["value"]).hex()

        edit(registry, path, as_before)
    sign(registry, signer)
    assert found_in(registry, world, tmp_path).candidates
    checked = added(stranger, registry).checked
    assert (checked.ids, checked.refused) == (2, 0)


def test_an_id_that_leads_to_another_manifest_is_no_recovery(registry, signer, world, stranger, tmp_path):
    first, second = rows(registry)

    def swapped(document):
        document["matches"] = [
            {**first, "manifestId": second["manifestId"]},
            {**second, "manifestId": first["manifestId"]},
        ]

    edit(registry, BUCKET, swapped)
    sign(registry, signer)
    found = found_in(registry, world, tmp_path)
    assert found.state is State.NO_CREDENTIALS
    assert "names another mark" in found.reason
    checked = added(stranger, registry).checked
    assert (checked.refused, checked.ids) == (2, 0)
    assert checked.why == ("an id leads to a manifest that does not name it (2)",)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda document: document.pop("anchor"), "it is no receipt"),
        (lambda document: document.update(anchor=[]), "it is no receipt"),
        (lambda document: document["anchor"]["proof"].update(entry="?"), "it is no receipt"),
        (lambda document: document["anchor"]["proof"].update(entry=""), "does not show"),
        (lambda document: document["anchor"]["proof"].update(path=[]), "does not show"),
        (
            lambda document: document["anchor"]["parameters"].update(logIndex="0"),
            "does not show",
        ),
    ],
)
def test_a_manifest_without_a_receipt_does_not_count(
    change, words, registry, signer, world, stranger, tmp_path
):
    for receipts in registry.glob("manifests/*/receipts"):
        edit(registry, str(receipts.relative_to(registry)), change)
    sign(registry, signer)
    found = found_in(registry, world, tmp_path)
    assert found.state is State.NO_CREDENTIALS
    assert any(words in note for note in found.notes)
    assert added(stranger, registry).checked.refused == 2


def test_a_fingerprint_that_is_not_of_the_signed_digest_is_told(registry, signer, stranger):
    def moved(document):
        for row in document["matches"]:
            row["value"] = "0123456789abcdef"

    edit(registry, "matches/byContent/all.json", moved)
    sign(registry, signer)
    assert added(stranger, registry).checked.why == ("a fingerprint is not that of the signed digest (2)",)


def test_a_withdrawal_that_the_log_does_not_hold_is_refused(registry, signer, stranger):
    one = {"manifest_sha256": "0" * 64, "reason": "x", "salt": "0" * 64, "time": 1, "log_index": 0}
    edit(registry, "withdrawn.json", lambda document: document.update(withdrawn=[one]))
    sign(registry, signer)
    assert code_of(added, stranger, registry) == "registry.published-damaged"


@pytest.mark.parametrize(
    "path",
    ["../outside", "/etc/passwd", "a/../../b", "a//b", "./x", "a\\b", "snapshot", "x" * 100, "A/b\nc"],
)
def test_paths_that_lead_elsewhere_are_refused(path, registry, signer, stranger, tmp_path):
    listed = (registry / "SHA256SUMS").read_bytes() + f"{'0' * 64}  {path}\n".encode()
    sign_listing(registry, signer, listed, listed.count(b"\n"))
    assert code_of(added, stranger, registry) == "registry.published-damaged"
    assert not (tmp_path / "outside").exists()


@given(st.text(max_size=40))
def test_a_safe_path_stays_inside(path):
    if is_safe(path):
        parts = path.split("/")
        assert ".." not in parts
        assert all(parts)
        assert not path.startswith("/")


@pytest.mark.parametrize(
    "document",
    [
        b"[" * 200_000,
        b'{"schema_version":1,"matches":' + b"[" * 100_000,
        b"9" * 100_000,
        b"\xff",
        b"[]",
        b"{}",
    ],
)
def test_documents_that_are_traps_are_no_answers(document, registry, signer, world, tmp_path):
    put(registry, BUCKET, document)
    sign(registry, signer)
    found = found_in(registry, world, tmp_path)
    assert found.state is State.NO_CREDENTIALS
    assert any("cannot be used" in note for note in found.notes)


@pytest.mark.parametrize(
    "limits", [{"most_bytes": 10_000}, {"most_files": 5}, {"seconds": 0.0}], ids=["bytes", "files", "time"]
)
def test_what_is_beyond_a_limit_is_refused(limits, registry, stranger):
    assert code_of(added, stranger, registry, **limits) in ("registry.over-limit", "input.too-large")
    assert kept_registries(stranger).names() == ()


def test_a_thousand_locator_keys_are_not_tried(registry, signer):
    key = next((registry / "locator").iterdir())
    for number in range(40):
        put(registry, f"locator/{number}.json", key.read_bytes())
    sign(registry, signer)
    assert len(PublishedRegistry.open(registry).locators()) == 16


@given(st.integers(0, 3000), st.integers(2, 40))
def test_every_bucket_holds_a_crowd(count, crowd):
    hashes = [hashlib.sha256(b"%d" % number).hexdigest() for number in range(count)]
    length = prefix_length(hashes, crowd=crowd)
    filled = dict.fromkeys(bucket_paths("f", length), 0)
    for one in hashes:
        filled[bucket_path("f", one, length)] += 1
    assert length == 0 or min(filled.values()) >= crowd


@pytest.fixture
def served(registry, tmp_path, monkeypatch):
    """The registry at an https address."""
    with HttpsServer(folder=tmp_path / "server") as server:
        monkeypatch.setenv("SSL_CERT_FILE", str(server.certificate))
        for path in registry.rglob("*"):
            if path.is_file():
                server.answers[f"/reg/{path.relative_to(registry)}"] = Answer(body=path.read_bytes())
        yield server


pytest_loopback = pytest.mark.enable_socket


@pytest_loopback
def test_a_registry_is_fetched_over_https_once(served, stranger, world):
    fetched = added(stranger, served.url("/reg/"))
    assert fetched.checked.manifests == 2
    assert recover_file(world / "copy.jpg", home=stranger).state is State.RECOVERED
    asked = len(served.asked)
    again = add(stranger, served.url("/reg"), name="them", at=NOW, limits=FetchLimits())
    assert not again.new
    assert len(served.asked) == asked + 2  # snapshot and key, and nothing of what is here already


@pytest_loopback
@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (Answer(status=302, headers={"Location": "https://127.0.0.1/"}), "registry.fetch-failed"),
        (Answer(body=b"x", headers={"Content-Encoding": "gzip"}), "registry.fetch-failed"),
        (Answer(status=404), "registry.not-published"),
        (Answer(body=b"x" * 100_000), "registry.over-limit"),
    ],
    ids=["elsewhere", "compressed", "absent", "large"],
)
def test_servers_that_misbehave(answer, code, served, stranger):
    served.answers["/reg/snapshot"] = answer
    assert code_of(added, stranger, served.url("/reg")) == code
    assert kept_registries(stranger).names() == ()


@pytest_loopback
def test_a_server_without_a_trusted_certificate(served, stranger, monkeypatch):
    monkeypatch.delenv("SSL_CERT_FILE")
    assert code_of(added, stranger, served.url("/reg")) == "registry.fetch-failed"


@pytest.mark.parametrize("place", ["http://x/y", "ftp://x", "https://u:p@x/", "https://x/?a", "file:///etc"])
def test_other_addresses_are_refused(place, stranger):
    assert code_of(added, stranger, place) == "registry.url-refused"


def test_a_snapshot_is_not_taken_for_a_checkpoint(registry, signer):
    """One key signs both; neither can be passed off as the other."""
    from provenance.log.checkpoint import open_checkpoint
    from provenance.registry_snapshot import open_snapshot

    note, checkpoint = (registry / "snapshot").read_bytes(), (registry / "log" / "checkpoint").read_bytes()
    assert code_of(open_checkpoint, note, signer.verifier).startswith("log.")
    assert code_of(open_snapshot, checkpoint, signer.verifier) == "registry.published-damaged"
    other = replace(signer, name="elsewhere")
    assert code_of(open_snapshot, note, other.verifier) == "registry.published-signature"
