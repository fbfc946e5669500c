"""Lists of every kind and make-up: single signers, intermediates, odd keys, and what the library is told."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from provenance import files
from provenance.errors import InputError, IntegrityError
from provenance.manifest.read import read_manifest
from provenance.manifest.reading import ManifestState, TrustTier
from provenance.manifest.settings import settings_json
from provenance.manifest.sign import sign
from provenance.manifest.trust import DEFAULT_EKUS, ListKind, TrustList, TrustLists, load_trust, save_trust
from provenance.manifest.trust_certificates import change, contents_of

DAY = date(2026, 8, 1)


def only(pem: bytes, kind: ListKind = ListKind.MANIFEST) -> TrustLists:
    item = TrustList.of(name="only", tier=TrustTier.OWN, pem=pem, date=DAY, kind=kind)
    return TrustLists(lists=(item,))


def leaf_of(signer) -> bytes:
    end = b"-----END CERTIFICATE-----\n"
    return signer.chain[: signer.chain.index(end) + len(end)]


def test_an_intermediate_may_be_the_only_anchor(signed, authority):
    lists = only(authority.issuing.public_bytes(Encoding.PEM))
    assert read_manifest(signed().asset, lists).state is ManifestState.TRUSTED


def test_one_signer_may_be_trusted_by_itself(signed, signer, authority):
    """Not everybody whom its authority vouches for."""
    lists = only(leaf_of(signer))
    reading = read_manifest(signed().asset, lists)
    assert reading.state is ManifestState.TRUSTED
    assert reading.signer.list_name == "only"
    assert read_manifest(signed().asset, only(leaf_of(authority.signer()))).state is (
        ManifestState.UNKNOWN_SIGNER
    )


def test_a_signer_on_a_list_is_sound_history_too(picture, signed, signer, spec):
    """The library records it when the file is taken in; it reads such lists in one place only."""
    lists = only(leaf_of(signer))
    child = sign(signed().asset, replace(spec, edited=True), signer, trust=lists).reading
    assert child.state is ManifestState.TRUSTED
    assert child.ingredients[0].recorded == ()


@pytest.mark.parametrize("kind", [ListKind.TSA, ListKind.CAWG])
def test_a_list_of_another_kind_vouches_for_no_signer(signed, authority, kind):
    reading = read_manifest(signed().asset, only(authority.root_pem(), kind))
    assert reading.state is ManifestState.UNKNOWN_SIGNER


def test_every_kind_is_kept_on_disk_with_its_source(tmp_path, authority):
    item = TrustList.of(
        name="people",
        tier=TrustTier.OWN,
        pem=authority.root_pem(),
        date=DAY,
        kind=ListKind.CAWG,
        source="https://example.com/people.pem",
    )
    save_trust(tmp_path, TrustLists(lists=(item,)))
    assert load_trust(tmp_path).lists == (item,)


@pytest.mark.parametrize("where", ["document", "entry"])
def test_an_unknown_key_is_refused(tmp_path, authority, where):
    """``verify_cert_anchors`` turned nothing on, and was believed to."""
    save_trust(tmp_path, only(authority.root_pem()))
    index = tmp_path / "lists.json"
    document = json.loads(index.read_text())
    (document if where == "document" else document["lists"][0])["verify_cert_anchors"] = True
    index.write_text(json.dumps(document))
    with pytest.raises(IntegrityError, match="verify_cert_anchors") as caught:
        load_trust(tmp_path)
    assert caught.value.code == "trust.index-damaged"


def test_the_library_is_told_purposes_kinds_and_single_signers_where_it_looks(authority, signer):
    told = json.loads(settings_json(only(authority.root_pem() + leaf_of(signer), ListKind.CAWG)))
    (anchors,) = told["trust"]["anchors"]
    assert told["trust"]["trust_config"] == anchors["trust_config"] == "\n".join(DEFAULT_EKUS)
    assert anchors["trust_kind"] == "cawg"
    assert anchors["trust_anchors"] == authority.root_pem().decode()
    assert anchors["allowed_list"].count("BEGIN") == 1
    assert set(told["trust"]) == {"trust_config", "anchors"}
    assert told["verify"] == {
        "verify_after_sign": False,
        "remote_manifest_fetch": False,
        "ocsp_fetch": False,
    }
    assert told["core"]["allowed_network_hosts"] == []
    assert told["builder"]["thumbnail"]["enabled"] is False


def test_what_is_in_a_file_is_told_once_each(authority, stranger):
    pem = (
        b"Roots of 2026\n"
        + authority.root_pem()
        + stranger.root_pem()
        + b"\n# again\n"
        + authority.root_pem()
    )
    found = contents_of(pem)
    assert [one.name for one in found.certificates] == ["Root, Example Labs", "Root, OpenAI OpCo, LLC"]
    assert [one.name for one in found.twice] == ["Root, Example Labs"]
    assert contents_of(found.pem).pem == found.pem
    later = datetime.now(UTC) + timedelta(days=3650)
    assert found.expired(later + timedelta(days=1)) == found.certificates
    assert found.ending(later - timedelta(days=30)) == found.certificates
    assert found.expired(datetime.now(UTC)) == ()


def test_what_changes_between_two_lists(authority, stranger):
    found = change(authority.root_pem(), stranger.root_pem())
    assert [one.name for one in found.added] == ["Root, OpenAI OpCo, LLC"]
    assert [one.name for one in found.gone] == ["Root, Example Labs"]
    assert change(None, stranger.root_pem()).gone == ()


def test_a_signer_says_what_it_is_for_and_a_root_leaves_it_open(authority, signer):
    assert contents_of(authority.root_pem()).kind is None
    assert contents_of(leaf_of(signer)).kind is ListKind.MANIFEST
    clock = leaf_of(authority.signer(ekus=("1.3.6.1.5.5.7.3.8",)))
    assert contents_of(clock).kind is ListKind.TSA
    assert contents_of(clock + leaf_of(signer)).kind is None


@pytest.mark.parametrize(
    "pem",
    [
        b"",
        b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        b"-----BEGIN CERTIFICATE-----\nAAAA",
        b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
    ],
)
def test_what_is_no_list(pem):
    with pytest.raises(InputError) as caught:
        contents_of(pem)
    assert caught.value.code == "trust.not-certificates"


def test_a_certificate_that_is_cut_off_is_not_passed_over(authority):
    with pytest.raises(InputError):
        contents_of(authority.root_pem() + authority.root_pem()[:200])


def test_a_save_that_is_cut_off_anywhere_leaves_the_lists_before_or_after(
    tmp_path, authority, signer, monkeypatch
):
    """Written by the one function that syncs before it renames; the index, which decides, is the last."""
    folder = tmp_path / "trust"
    before = only(authority.issuing.public_bytes(Encoding.PEM))
    save_trust(folder, before)
    after = before.adding(TrustList.of(name="more", tier=TrustTier.OWN, pem=leaf_of(signer), date=DAY))
    real, renamed = files.replace_atomically, []

    def cut_off(temporary, final, *, overwrite=True):
        if len(renamed) == allowed:
            raise KeyboardInterrupt
        renamed.append(final.name)
        real(temporary, final, overwrite=overwrite)

    monkeypatch.setattr(files, "replace_atomically", cut_off)
    for allowed in range(4):
        renamed.clear()
        with suppress(KeyboardInterrupt):
            save_trust(folder, after)
        names = [item.name for item in load_trust(folder).lists]
        assert names == (["only"] if allowed < 3 else ["only", "more"])
        assert files.temporaries_in(folder) == ()
    assert renamed[-1] == "lists.json"
    assert {path.suffix for path in folder.iterdir()} == {".pem", ".json"}
