"""``guard doctor`` on copies of added registries."""

from __future__ import annotations

import secrets
import shutil
from datetime import UTC, datetime, timedelta

import pytest

from guard.doctor import examine_home
from guard.home import Home
from guard.registries import add, kept_registries, publish
from guard.setup import initialise
from provenance.registry_source import FetchLimits

NOW = datetime.now(UTC)


@pytest.fixture
def stranger(tmp_path):
    """Another installation, which added an empty registry."""
    one, other = Home(folder=tmp_path / "one"), Home(folder=tmp_path / "other")
    for home in (one, other):
        initialise(home, now=NOW, random=secrets.token_bytes)
    publish(one, tmp_path / "pub", locator=True, now=NOW)
    add(other, str(tmp_path / "pub"), name="them", at=NOW, limits=FetchLimits())
    return other


def said(home, days=0):
    found = {one.what: one for one in examine_home(home, now=NOW + timedelta(days=days))}
    return found["registry them"]


def copy_of(home):
    return home.registries_folder / "them" / kept_registries(home).get("them").copy


@pytest.mark.parametrize(("days", "words"), [(0, "today"), (1, "yesterday"), (30, "30 days ago")])
def test_the_age_of_a_copy_is_told(stranger, days, words):
    found = said(stranger, days)
    assert (found.state, found.detail) == ("ok", f"0 manifests, all readable; fetched {words}")


def test_an_old_copy_is_named_with_what_helps(stranger):
    found = said(stranger, 31)
    assert found.state == "ok"
    assert found.detail.endswith("31 days ago, which is old: guard registry update them")


@pytest.mark.parametrize("path", ["snapshot", "SHA256SUMS", "withdrawn.json", "matches/byBinding/all.json"])
@pytest.mark.parametrize("gone", [True, False])
def test_a_copy_that_cannot_be_read_is_broken(stranger, path, gone):
    place = copy_of(stranger) / path
    if gone:
        place.unlink()
    else:
        data = place.read_bytes()
        place.write_bytes(data[:-2] + bytes([data[-2] ^ 1]) + data[-1:])
    found = said(stranger)
    assert found.state == "broken"
    assert "guard registry remove them, then guard registry add" in found.detail


def test_a_copy_that_is_gone_is_broken(stranger):
    shutil.rmtree(copy_of(stranger))
    assert said(stranger).state == "broken"


def test_what_is_known_of_a_copy_is_unreadable(stranger):
    (stranger.registries_folder / "them" / "kept.json").write_text("{}")
    assert said(stranger).state == "broken"
