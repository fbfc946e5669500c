"""A withdrawal holds though its list is lost, its log is put back, or other registries are asked first."""

from __future__ import annotations

import secrets
import shutil
from datetime import UTC, datetime, timedelta

import pytest
from PIL import Image
from simulators.poisoner import edit, sign

from guard.agreement import audited, require_latest
from guard.api import recover_file, verify_file
from guard.home import Home
from guard.lookup import Sources
from guard.recalls import Book, recalls_of
from guard.registries import add, kept_registries, publish
from guard.setup import initialise
from guard.verdict import State
from guard.withdrawing import withdraw
from provenance.errors import Error
from provenance.keys import load_log_key
from provenance.registry_source import FetchLimits
from provenance.registry_withdrawn import Withdrawal, parse_withdrawals, withdrawals_document

NOW = datetime.now(UTC)
LATER = NOW + timedelta(hours=1)


def code_of(action, *arguments, **options):
    with pytest.raises(Error) as caught:
        action(*arguments, **options)
    return caught.value.code


def recall(home, file):
    return withdraw(home, str(file), "by mistake", now=NOW, random=secrets.token_bytes)


def added(home, place, name):
    return add(home, str(place), name=name, at=NOW, limits=FetchLimits())


@pytest.fixture
def other(tmp_path):
    made = Home(folder=tmp_path / "other")
    initialise(made, now=NOW, random=secrets.token_bytes)
    return made


def test_a_lost_or_damaged_list_takes_nothing_back(home, signed, tmp_path):
    recall(home, signed[".png"])
    listed = home.folder / "withdrawn.json"
    empty = withdrawals_document({})
    for harm, code in (
        (listed.unlink, "registry.withdrawals-behind"),
        (lambda: listed.write_bytes(empty), "registry.withdrawals-behind"),
        (lambda: listed.write_text("{"), "registry.withdrawals-damaged"),
    ):
        harm()
        assert verify_file(signed[".png"], home=home).state is State.WITHDRAWN
        assert verify_file(signed[".jpg"], home=home).state is State.DEVELOPMENT
        assert [one.code for one in audited(home).problems] == [code]
        assert code_of(publish, home, tmp_path / "pub", locator=True, now=NOW) == code
    listed.unlink()
    assert recall(home, signed[".png"]).new == 1
    assert audited(home).problems == ()
    publish(home, tmp_path / "pub", locator=True, now=NOW)


def test_a_damaged_copy_lets_nothing_of_its_publisher_pass(home, signed, other, tmp_path):
    publish(home, tmp_path / "pub", locator=True, now=NOW)
    kept = added(other, tmp_path / "pub", "them").kept
    assert verify_file(signed[".png"], home=other).state is State.UNKNOWN_SIGNER
    (kept_registries(other).folder / "them" / kept.copy / "withdrawn.json").unlink()
    assert code_of(verify_file, signed[".png"], home=other) == "registry.published-damaged"
    assert added(other, tmp_path / "pub", "them").new
    assert verify_file(signed[".png"], home=other).state is State.UNKNOWN_SIGNER


def test_a_publisher_who_takes_a_withdrawal_back_is_refused(home, signed, other, tmp_path):
    recall(home, signed[".png"])
    publish(home, tmp_path / "pub", locator=True, now=NOW)
    edit(tmp_path / "pub", "withdrawn.json", lambda document: document.update(withdrawn=[]))
    sign(tmp_path / "pub", load_log_key(home.log_key_path))
    assert code_of(added, other, tmp_path / "pub", "them") == "registry.published-damaged"
    nowhere = Home(folder=tmp_path / "nowhere")
    sources = Sources(home=nowhere, folders=[tmp_path / "pub"])
    assert verify_file(signed[".png"], home=nowhere, sources=sources).state is State.WITHDRAWN


def test_a_log_from_before_the_withdrawal_is_noticed(home, signed, tmp_path):
    older = shutil.copytree(home.log_folder, tmp_path / "older")
    recall(home, signed[".png"])
    shutil.rmtree(home.log_folder)
    shutil.copytree(older, home.log_folder)
    assert [one.code for one in audited(home).problems] == ["log.behind-registry"]
    with home.registry_as_found() as registry:
        assert code_of(require_latest, registry, home.log()) == "log.behind-registry"
    assert code_of(publish, home, tmp_path / "pub", locator=True, now=NOW) == "log.behind-registry"


def test_an_old_mirror_hides_no_withdrawal_in_any_order(home, signed, tmp_path):
    old, new = tmp_path / "a-mirror", tmp_path / "publisher"
    publish(home, old, locator=True, now=NOW)
    recall(home, signed[".png"])
    publish(home, new, locator=True, now=LATER)
    with Image.open(signed[".png"]) as picture:
        picture.convert("RGB").save(tmp_path / "copy.jpg", quality=80)
    nowhere = Home(folder=tmp_path / "nowhere")
    for folders in ([old, new], [new, old]):
        found = recover_file(
            tmp_path / "copy.jpg", home=nowhere, sources=Sources(home=nowhere, folders=folders)
        )
        assert found.state is State.WITHDRAWN
        assert found.candidates[0].entry.withdrawn_by == "publisher"


def test_only_the_log_that_the_manifest_names_counts(home, signed, other):
    note = verify_file(signed[".png"], home=home).evidence[0].detail.log_checkpoint
    one = Withdrawal(manifest_sha256="0" * 64, reason="x", salt="0" * 64, time=1, log_index=0)
    keys = {
        name: str(load_log_key(one.log_key_path).verifier) for name, one in {"a": other, "b": home}.items()
    }
    books = [Book(publisher=name, key=key, withdrawn={"0" * 64: one}) for name, key in keys.items()]
    for order in (books, books[::-1]):
        said = recalls_of("0" * 64, None, note, order)
        assert [(recall.publisher, recall.counts) for recall in said] == [("b", True), ("a", False)]
    broken = Error("x.y", "unreadable")
    assert recalls_of("0" * 64, None, note, [Book(publisher="a", key=keys["a"], damage=broken)]) == ()
    books = [Book(publisher="b", key=keys["b"], damage=broken)]
    assert code_of(recalls_of, "0" * 64, None, note, books) == "x.y"


def test_an_erased_reason_leaves_the_withdrawal():
    one = Withdrawal(manifest_sha256="0" * 64, reason="", salt="", time=1, log_index=0)
    assert parse_withdrawals(withdrawals_document({"0" * 64: one}), "here") == {"0" * 64: one}


def test_an_older_state_is_refused_under_any_name(home, signed, other, tmp_path):
    publish(home, tmp_path / "old", locator=True, now=NOW)
    recall(home, signed[".png"])
    publish(home, tmp_path / "new", locator=True, now=LATER)
    added(other, tmp_path / "new", "publisher")
    assert code_of(added, other, tmp_path / "old", "a-mirror") == "registry.rolled-back"
    assert kept_registries(other).names() == ("publisher",)
    assert added(other, shutil.copytree(tmp_path / "new", tmp_path / "same"), "a-mirror").new
