"""From a release to a stranger's laptop: publish, mirror, look up, withdraw."""

from __future__ import annotations

import hashlib
import json
import secrets
import shutil
import signal
import sqlite3
import subprocess
import sys
import textwrap
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from PIL import Image

from guard.api import recover_file, release_file, verify_file
from guard.home import Home
from guard.lookup import Sources
from guard.registries import add, kept_registries, publish, update
from guard.setup import initialise
from guard.verdict import State, exit_code
from guard.withdrawing import withdraw
from provenance.errors import Error, IntegrityError
from provenance.keys import load_log_key
from provenance.registry_entry import UNMARKED, RegistryEntry
from provenance.registry_layout import bucket_hash, manifest_ids, prefix_length
from provenance.registry_published import PublishedRegistry
from provenance.registry_source import FetchLimits

NOW = datetime.now(UTC)
LIMITS = FetchLimits()


def code_of(action, *arguments, **options):
    with pytest.raises(Error) as caught:
        action(*arguments, **options)
    return caught.value.code


def stripped(source: Path, target: Path) -> Path:
    with Image.open(source) as picture:
        picture.convert("RGB").save(target, quality=80)
    return target


def files_of(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def nowhere(tmp_path):
    """A machine without an installation."""
    return Home(folder=tmp_path / "nowhere")


@pytest.fixture
def other(tmp_path):
    """Another installation, which has nothing of the first."""
    made = Home(folder=tmp_path / "other")
    initialise(made, now=NOW, random=secrets.token_bytes)
    return made


@pytest.fixture
def published(home, signed, tmp_path):
    publish(home, tmp_path / "pub", locator=True, now=NOW)
    return tmp_path / "pub"


def test_a_stranger_without_an_installation_recovers_from_a_mirror(signed, published, nowhere, tmp_path):
    mirror = shutil.copytree(published, tmp_path / "mirror")
    copy = stripped(signed[".png"], tmp_path / "copy.jpg")
    sources = Sources(home=nowhere, folders=[mirror])
    found = recover_file(copy, home=nowhere, sources=sources)
    assert found.state is State.RECOVERED
    assert not found.vouched
    assert found.notes == ()
    (candidate,) = found.candidates
    assert (candidate.entry.publisher, candidate.entry.mime) == ("mirror", "image/*")
    assert candidate.entry.asset_sha256 == verify_file(signed[".png"], home=nowhere).asset_sha256
    verdict = verify_file(copy, home=nowhere, sources=sources)
    assert (verdict.state, exit_code(verdict.state)) == (State.RECOVERED, 3)
    assert verify_file(copy, home=nowhere).state is State.NO_CREDENTIALS


def test_without_the_locator_marks_are_not_found_and_the_key_alone_finds_them(
    home, signed, nowhere, tmp_path
):
    publish(home, tmp_path / "pub", locator=False, now=NOW)
    secret = json.loads(home.locator_path.read_text())["secret"].encode()
    assert not any(secret in data for data in files_of(tmp_path / "pub").values())
    copy = stripped(signed[".png"], tmp_path / "copy.jpg")
    blind = Sources(home=nowhere, folders=[tmp_path / "pub"])
    verdict = verify_file(copy, home=nowhere, sources=blind)
    assert verdict.state is State.NO_CREDENTIALS
    assert any(line.startswith("mark:") for line in verdict.not_checked)
    handed = Sources(home=nowhere, folders=[tmp_path / "pub"], locators=[home.locator_path])
    assert recover_file(copy, home=nowhere, sources=handed).state is State.RECOVERED


def test_services_and_receipts_have_the_fields_of_the_api(published):
    """C2PA Soft Binding Resolution API 2.4.0: c2pa.wellKnownDiscovery, serviceCapabilities and so on."""

    def read(path):
        return json.loads((published / path).read_bytes())

    known = published / ".well-known" / "c2pa-soft-binding-resolution"
    found = json.loads(known.read_bytes())
    assert (found["apiEndpoint"], found["c2paSpecificationVersion"]) == ("..", "2.4.0")
    for name in ("capabilitiesEndpoint", "statusEndpoint"):
        assert (known.parent / found[name]).resolve().is_file()
    capabilities = read("services/capabilities")
    assert (capabilities["c2paSpecificationVersion"], capabilities["supportedCapabilities"]) == ("2.4.0", [])
    assert read("services/status")["status"] in ("ok", "degraded", "down")
    algorithms = read("services/supportedAlgorithms")
    assert all(one["alg"] for kind in ("watermarks", "fingerprints") for one in algorithms[kind])
    for folder in ("byBinding", "byContent", "byReference"):
        assert all(one["manifestId"] for one in read(f"matches/{folder}/all.json")["matches"])
    for place in published.glob("manifests/*/receipts"):
        receipt = json.loads(place.read_bytes())
        assert receipt["@type"] == "org.c2pa.manifest-receipt"
        assert receipt["repository"]["manifestId"] == place.parent.name
        assert (place.parent / receipt["repository"]["uri"]).resolve() == published.resolve()
        assert (place.parent / receipt["anchor"]["uri"]).resolve().is_file()
        assert receipt["anchor"]["proof"]


def test_publishing_again_touches_only_what_is_new(home, published, photographs, tmp_path):
    before = {path: path.stat().st_ino for path in published.rglob("*") if path.is_file()}
    again = publish(home, published, locator=True, now=NOW + timedelta(days=1))
    assert again.published.changed == 0
    assert {path: path.stat().st_ino for path in published.rglob("*") if path.is_file()} == before
    Image.fromarray(photographs[1]).save(tmp_path / "new.png")
    release_file(tmp_path / "new.png", tmp_path / "out" / "new.png", source="digitalCapture", home=home)
    later = publish(home, published, locator=True, now=NOW + timedelta(days=1))
    assert later.published.manifests == 3
    assert later.published.snapshot.sequence > again.published.snapshot.sequence
    kept = {path for path, inode in before.items() if path.exists() and path.stat().st_ino == inode}
    assert {path for path in before if "manifests" in path.parts or "locator" in path.parts} <= kept
    listed = subprocess.run(["sha256sum", "-c", "--quiet", "SHA256SUMS"], cwd=published, check=False)
    assert listed.returncode == 0


def test_nothing_private_is_published(home, generated, tmp_path):
    publish(home, tmp_path / "pub", locator=True, now=NOW)
    records = [json.loads(path.read_text()) for path in home.records_folder.glob("*.json")]
    private = [b"zebra", b"lighthouse", *(record["commitment_key"].encode() for record in records)]
    private += [(home.signing_folder / "key.pem").read_bytes().splitlines()[1]]
    private += [json.loads(home.log_key_path.read_text())["secret"].encode(), str(tmp_path).encode()]
    assert len(private) >= 5
    for path, data in files_of(tmp_path / "pub").items():
        for secret in private:
            assert secret not in data, path


def test_what_is_pending_is_not_published(home, signed, tmp_path):
    manifest = b"never released"
    with home.registry() as registry:
        registry.record(
            RegistryEntry(
                algorithm="org.mediaguard.tile.1",
                key_id=home.locator().key_id,
                epoch=1,
                content_id=b"pending!",
                manifest=manifest,
                manifest_sha256=hashlib.sha256(manifest).hexdigest(),
                asset_sha256="a" * 64,
                mime="image/png",
                created_at=0,
            )
        )
    publish(home, tmp_path / "pub", locator=True, now=NOW)
    for data in files_of(tmp_path / "pub").values():
        assert manifest not in data
        assert b"pending!".hex().encode() not in data
        assert b"a" * 64 not in data


@pytest.mark.parametrize("where", ["_put_manifest", "_put_tables", "export_log", "listing"])
def test_killed_at_any_step_the_folder_stays_as_it_was(home, published, where, tmp_path, photographs):
    Image.fromarray(photographs[1]).save(tmp_path / "new.png")
    release_file(tmp_path / "new.png", tmp_path / "out" / "new.png", source="digitalCapture", home=home)
    before = files_of(published)
    script = f"""
        import os, signal, sys
        from datetime import UTC, datetime
        from pathlib import Path
        from guard.home import Home
        from guard.registries import publish
        from provenance import registry_publish
        def killed(*_, **__):
            os.kill(os.getpid(), signal.SIGKILL)
        registry_publish.{where} = killed
        publish(Home(folder=Path(sys.argv[1])), Path(sys.argv[2]), locator=True, now=datetime.now(UTC))
    """
    command = [sys.executable, "-c", textwrap.dedent(script), str(home.folder), str(published)]
    assert subprocess.run(command, check=False).returncode == -signal.SIGKILL
    assert files_of(published) == before
    done = publish(home, published, locator=True, now=NOW + timedelta(hours=1))
    assert done.published.manifests == 3
    assert sorted(path.name for path in published.parent.glob(".pub*")) == []


def test_a_folder_with_other_files_is_left_alone(home, signed, tmp_path):
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "index.html").write_text("hello")
    assert code_of(publish, home, tmp_path / "site", locator=True, now=NOW) == "registry.folder-in-use"
    assert files_of(tmp_path / "site") == {"index.html": b"hello"}


def test_a_kept_copy_serves_and_is_marked(home, signed, published, other, tmp_path):
    fetched = add(other, str(published), name="them", at=NOW, limits=LIMITS)
    assert fetched.new
    assert (fetched.checked.manifests, fetched.checked.ids, fetched.checked.refused) == (2, 2, 0)
    assert not add(other, str(published), name="them", at=NOW, limits=LIMITS).new
    shutil.rmtree(published)
    copy = stripped(signed[".png"], tmp_path / "copy.jpg")
    found = recover_file(copy, home=other)
    assert found.state is State.RECOVERED
    assert found.candidates[0].entry.publisher == "them"
    kept_registries(other).remove("them")
    assert recover_file(copy, home=other).state is State.NO_CREDENTIALS
    assert code_of(kept_registries(other).get, "them") == "registry.unknown"


def test_what_left_without_a_mark_is_published_and_no_id_leads_to_it(home, signed, other, tmp_path):
    """White carries no mark: its manifest is there for whoever asks by digest, and nothing is refused."""
    white = tmp_path / "white.png"
    Image.new("RGB", (320, 320), "white").save(white)
    released = release_file(white, tmp_path / "left.png", source="trainedAlgorithmicMedia", home=home)
    assert released.signed.reading.soft_bindings == ()
    publish(home, tmp_path / "pub", locator=True, now=NOW)
    fetched = add(other, str(tmp_path / "pub"), name="them", at=NOW, limits=LIMITS)
    assert (fetched.checked.manifests, fetched.checked.ids, fetched.checked.refused) == (3, 2, 0)


def test_rows_of_an_earlier_version_that_led_to_unmarked_files_are_not_published(
    home, signed, other, tmp_path
):
    white = tmp_path / "white.png"
    Image.new("RGB", (320, 320), "white").save(white)
    left = release_file(white, tmp_path / "left.png", source="trainedAlgorithmicMedia", home=home).signed
    with closing(sqlite3.connect(home.registry_path)) as database, database:
        (mark,) = database.execute("SELECT DISTINCT algorithm FROM entry WHERE algorithm <> ''").fetchone()
        database.execute("UPDATE entry SET algorithm = ?", (mark,))
        database.execute("PRAGMA user_version = 3")
    publish(home, tmp_path / "pub", locator=True, now=NOW)
    rows = json.loads((tmp_path / "pub" / "matches" / "byBinding" / "all.json").read_bytes())["matches"]
    assert {row["alg"] for row in rows} == {mark}
    assert left.manifest_sha256 not in {row["manifestId"] for row in rows}
    with home.registry_as_found() as registry:
        assert [one.algorithm == UNMARKED for one in registry.places()] == [False, False, True]
    fetched = add(other, str(tmp_path / "pub"), name="them", at=NOW, limits=LIMITS)
    assert (fetched.checked.manifests, fetched.checked.ids, fetched.checked.refused) == (3, 2, 0)


def test_an_older_state_and_another_key_are_refused(home, signed, published, other, photographs, tmp_path):
    old = shutil.copytree(published, tmp_path / "old")
    Image.fromarray(photographs[1]).save(tmp_path / "new.png")
    release_file(tmp_path / "new.png", tmp_path / "out" / "new.png", source="digitalCapture", home=home)
    publish(home, published, locator=True, now=NOW + timedelta(hours=1))
    kept = add(other, str(published), name="them", at=NOW, limits=LIMITS).kept

    def shown(folder):
        shutil.rmtree(published)
        shutil.copytree(folder, published)
        return code_of(add, other, str(published), name="them", at=NOW, limits=LIMITS)

    mirror = shutil.copytree(published, tmp_path / "mirror")
    assert shown(old) == "registry.rolled-back"
    with pytest.raises(IntegrityError) as caught:
        update(other, "them", at=NOW, limits=LIMITS)
    assert "guard registry add URL|DIR --name them" in caught.value.hint
    # What the hint says: the copy and its key stay, and the mirror is asked from then on.
    again = add(other, str(mirror), name="them", at=NOW, limits=LIMITS)
    assert (again.new, again.kept.source, again.kept.publisher) == (False, str(mirror), kept.publisher)
    assert not update(other, "them", at=NOW, limits=LIMITS).new
    assert kept_registries(other).get("them") == again.kept
    assert code_of(add, other, str(old), name="them", at=NOW, limits=LIMITS) == "registry.rolled-back"
    shutil.rmtree(published)
    back = add(other, str(shutil.copytree(mirror, published)), name="them", at=NOW, limits=LIMITS).kept
    assert back == kept
    publish(other, tmp_path / "theirs", locator=True, now=NOW + timedelta(days=2))
    assert shown(tmp_path / "theirs") == "registry.key-changed"
    assert kept_registries(other).get("them") == kept
    assert kept_registries(other).open("them").snapshot.sequence == kept.sequence


def test_a_rewritten_log_is_refused(home, signed, published, other, photographs, tmp_path):
    """The publisher goes back to a backup and on from there: two histories under one key."""
    forked = Home(folder=shutil.copytree(home.folder, tmp_path / "backup"))
    for number, one in enumerate((home, forked)):
        Image.fromarray(photographs[1 + number]).save(tmp_path / f"{number}.png")
        (tmp_path / f"out{number}").mkdir()
        release_file(
            tmp_path / f"{number}.png", tmp_path / f"out{number}" / "x.png", source="digitalCapture", home=one
        )
    publish(home, published, locator=True, now=NOW + timedelta(hours=1))
    add(other, str(published), name="them", at=NOW, limits=LIMITS)
    shutil.rmtree(published)
    publish(forked, published, locator=True, now=NOW + timedelta(hours=2))
    assert (
        code_of(add, other, str(published), name="them", at=NOW, limits=LIMITS) == "registry.log-contradicts"
    )


def test_one_id_with_two_manifests_is_decided_by_the_digest(home, signed, nowhere, tmp_path):
    """Both manifests under the id of the first; the copy shows which picture it is."""
    with home.registry() as registry:
        first, second = (registry.by_manifest(place.manifest_sha256)[0] for place in registry.places())
        registry._database.change(
            "UPDATE entry SET content_id = :id WHERE manifest_sha256 = :sha",
            {"id": first.content_id, "sha": second.manifest_sha256},
        )
    publish(home, tmp_path / "pub", locator=True, now=NOW)
    sources = Sources(home=nowhere, folders=[tmp_path / "pub"])
    found = recover_file(stripped(signed[".png"], tmp_path / "c.jpg"), home=nowhere, sources=sources)
    assert found.state is State.RECOVERED
    assert len(found.candidates) == 2
    assert found.candidates[0].manifest.manifest_sha256 == first.manifest_sha256


def test_withdrawn_here_and_elsewhere(home, signed, published, other, nowhere, tmp_path):
    copy = stripped(signed[".png"], tmp_path / "copy.jpg")
    done = withdraw(home, str(signed[".png"]), "by mistake", now=NOW, random=secrets.token_bytes)
    assert done.new == 1
    again = withdraw(home, str(signed[".png"]), "other words", now=NOW, random=secrets.token_bytes)
    assert (again.new, again.withdrawals) == (0, done.withdrawals)
    for file in (signed[".png"], copy):
        verdict = verify_file(file, home=home)
        assert (verdict.state, exit_code(verdict.state)) == (State.WITHDRAWN, 1)
        assert verdict.withdrawn == ("withdrawn here: by mistake",)
    assert verify_file(signed[".jpg"], home=home).state is State.DEVELOPMENT
    sources = Sources(home=nowhere, folders=[published])
    assert recover_file(copy, home=nowhere, sources=sources).state is State.RECOVERED  # not yet published
    publish(home, published, locator=True, now=NOW + timedelta(hours=1))
    assert recover_file(copy, home=nowhere, sources=sources).state is State.WITHDRAWN
    checked = add(other, str(published), name="them", at=NOW, limits=LIMITS).checked
    assert (checked.withdrawn, checked.refused) == (1, 0)
    verdict = verify_file(signed[".png"], home=other)  # its signer names that log, so it counts
    assert verdict.state is State.WITHDRAWN
    assert verdict.withdrawn == ("withdrawn by registry them: by mistake",)
    assert home.log_as_found().verify().ok


def test_strangers_cannot_withdraw_what_is_not_theirs(home, signed, other, tmp_path):
    """Another installation logs and recalls our manifest; its registry is shown and not counted."""
    from provenance.log.leaves import WithdrawalLeaf
    from provenance.registry_withdrawn import Withdrawal, write_withdrawals

    digest = verify_file(signed[".png"], home=home).evidence[0].detail.manifest_sha256
    false = Withdrawal(manifest_sha256=digest, reason="fake!", salt="00" * 32, time=1, log_index=0)
    leaf = WithdrawalLeaf(manifest_sha256=digest, reason_commitment=false.commitment, time=1)
    other.log().append([leaf.to_bytes()])
    write_withdrawals(other.folder, {digest: false})
    publish(other, tmp_path / "theirs", locator=True, now=NOW)
    assert add(home, str(tmp_path / "theirs"), name="rumour", at=NOW, limits=LIMITS).checked.withdrawn == 1
    verdict = verify_file(signed[".png"], home=home)
    assert verdict.state is State.DEVELOPMENT
    (line,) = verdict.withdrawn
    assert line.startswith("withdrawn by registry rumour: fake! (not counted")


@pytest.mark.parametrize("what", ["0" * 16, "0" * 64, "absent.png", "../x"])
def test_only_what_was_released_here_can_be_withdrawn(home, what):
    refused = code_of(withdraw, home, what, "why", now=NOW, random=secrets.token_bytes)
    assert refused == "registry.withdraw-unknown"
    assert home.log_as_found().checkpoint().size == 0


def test_every_published_entry_is_in_the_bucket_its_id_names(home, signed, published):
    registry = PublishedRegistry.open(published)
    assert registry.publisher == load_log_key(home.log_key_path).verifier
    ids = manifest_ids(registry.sums)
    assert len(ids) == 2
    with home.registry_as_found() as own:
        for place in own.places():
            at = (place.algorithm, place.key_id, place.epoch, place.content_id)
            assert len(bucket_hash(*at)) == 64
            (entry,) = registry.look_up(*at).entries
            assert entry.log_index == place.log_index
    assert prefix_length([]) == 0
    assert [path.name for path in (published / "matches" / "byBinding").iterdir()] == ["all.json"]
