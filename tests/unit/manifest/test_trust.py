"""Trust lists on disk, source types, and a reader that takes terms from anywhere."""

from __future__ import annotations

import json
from datetime import date

import pytest

from provenance.errors import Error, InputError, IntegrityError
from provenance.manifest.reading import DigitalSourceType, TrustTier
from provenance.manifest.trust import ListKind, TrustList, TrustLists, load_trust, save_trust

DAY = date(2026, 8, 1)


@pytest.fixture
def item(authority):
    return TrustList.of(name="ours", tier=TrustTier.OWN, pem=authority.root_pem(), date=DAY)


def test_lists_come_back_as_they_were_saved(tmp_path, item, stranger):
    other = TrustList.of(
        name="clocks", tier=TrustTier.OFFICIAL, kind=ListKind.TSA, pem=stranger.root_pem(), date=DAY
    )
    lists = TrustLists().adding(item).adding(other)
    save_trust(tmp_path / "trust", lists)
    assert load_trust(tmp_path / "trust") == lists
    assert lists.of_kind(ListKind.TSA) == (other,)
    save_trust(tmp_path / "trust", lists.removing("clocks"))
    assert load_trust(tmp_path / "trust").lists == (item,)
    assert len(list((tmp_path / "trust").glob("*.pem"))) == 1


def test_no_folder_trusts_nobody(tmp_path):
    assert load_trust(tmp_path / "absent") == TrustLists()


def test_a_list_changed_on_disk_is_refused(tmp_path, item, stranger):
    save_trust(tmp_path, TrustLists(lists=(item,)))
    (pem,) = tmp_path.glob("*.pem")
    pem.write_bytes(item.pem + stranger.root_pem())
    with pytest.raises(IntegrityError) as caught:
        load_trust(tmp_path)
    assert caught.value.code == "trust.digest-mismatch"


@pytest.mark.parametrize(
    "change",
    [
        lambda d: d.update(version=2),
        lambda d: d["lists"][0].update(file="../elsewhere.pem"),
        lambda d: d["lists"][0].update(tier="gold"),
        lambda d: d["lists"][0].pop("sha256"),
        lambda d: d.update(lists=7),
    ],
)
def test_a_broken_index_is_refused_as_a_whole(tmp_path, item, change):
    save_trust(tmp_path, TrustLists(lists=(item,)))
    index = tmp_path / "lists.json"
    document = json.loads(index.read_text())
    change(document)
    index.write_text(json.dumps(document))
    with pytest.raises(IntegrityError) as caught:
        load_trust(tmp_path)
    assert caught.value.code == "trust.index-damaged"


def test_what_is_no_list(item):
    with pytest.raises(InputError):
        TrustList.of(name="Bad Name", tier=TrustTier.OWN, pem=item.pem, date=DAY)
    with pytest.raises(InputError):
        TrustList.of(name="x", tier=TrustTier.UNKNOWN, pem=item.pem, date=DAY)
    with pytest.raises(InputError):
        TrustList.of(name="x", tier=TrustTier.OWN, pem=b"nothing", date=DAY)
    with pytest.raises(Error):
        TrustLists(lists=(item, item))
    with pytest.raises(InputError):
        TrustLists().removing("x")


def test_the_strongest_list_names_the_tier(signed, authority, item):
    from provenance.manifest.read import read_manifest

    official = TrustList.of(name="zz", tier=TrustTier.OFFICIAL, pem=authority.root_pem(), date=DAY)
    development = TrustList.of(name="aa", tier=TrustTier.DEVELOPMENT, pem=authority.root_pem(), date=DAY)
    reading = read_manifest(signed().asset, TrustLists(lists=(development, item, official)))
    assert reading.signer.tier is TrustTier.OFFICIAL
    assert reading.signer.list_name == "zz"


def test_source_types_by_term_and_address():
    kind = DigitalSourceType.TRAINED_ALGORITHMIC_MEDIA
    assert DigitalSourceType.from_term(kind.term) is kind
    assert DigitalSourceType.from_term(kind.value.replace("http:", "https:")) is kind
    assert DigitalSourceType.known("https://evil.example/trainedAlgorithmicMedia") is None
    assert DigitalSourceType.known(7) is None
    with pytest.raises(ValueError, match="nonsense"):
        DigitalSourceType.from_term("nonsense")
