"""What the C2PA library does by default, or without a word, and what is done about it here.

Others have tests where their subject is: remote manifests (``test_no_socket``), laundered history
(``test_history``, ``test_ingredients``), swallowed exceptions of signers (``test_callback_signer``).
"""

from __future__ import annotations

import ast
import json
import multiprocessing
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import c2pa
import pytest

from provenance.errors import InputError
from provenance.manifest import c2pa_adapter
from provenance.manifest.read import read_manifest
from provenance.manifest.reading import ManifestState
from provenance.manifest.settings import settings_json
from provenance.manifest.sign import sign
from provenance.manifest.trust import CLAIM_SIGNING, DOCUMENT_SIGNING, EMAIL_PROTECTION


@pytest.mark.parametrize("purpose", [CLAIM_SIGNING, DOCUMENT_SIGNING, EMAIL_PROTECTION])
def test_each_accepted_purpose_alone_signs_and_is_trusted(picture, spec, authority, trust, purpose):
    """By default only email protection is, and the official purpose makes a file Invalid."""
    made = sign(picture(), spec, authority.signer(ekus=(purpose,)), trust=trust)
    assert made.reading.state is ManifestState.TRUSTED


def test_the_official_purpose_is_no_good_to_the_library_by_itself(picture, spec, authority, trust):
    """The reason for the setting; where this fails the library has changed."""
    asset = sign(picture(), spec, authority.signer(ekus=(CLAIM_SIGNING,)), trust=trust).asset
    report = c2pa_adapter.read_plain(asset.content, asset.mime).report
    codes = {item["code"] for item in report["validation_results"]["activeManifest"]["failure"]}
    assert codes & {"signingCredential.invalid", "signingCredential.untrusted"}


def test_the_library_still_takes_unknown_settings_without_a_word(trust):
    """So ours are typed: ``Settings`` has no field that the library does not know."""
    c2pa.Context.from_dict({**json.loads(settings_json(trust)), "nonsense": {"at": "all"}})
    with pytest.raises(c2pa.C2paError):
        c2pa.Context.from_dict({"trust": {"anchors": "no list"}})


def test_no_number_that_json_does_not_have(picture, spec, signer, trust):
    with pytest.raises(InputError) as caught:
        sign(picture(), replace(spec, digest_assertion={"lab": float("nan")}), signer, trust=trust)
    assert caught.value.code == "manifest.bad-value"


def _read_in_child(queue, data, mime, trust, expected):
    from provenance.media import Asset

    queue.put(read_manifest(Asset.of(data, mime), trust).state.value == expected)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_handles_of_the_library_do_not_cross_a_fork(signed, trust):
    asset = signed().asset
    expected = read_manifest(asset, trust).state.value  # the parent has its handles now
    context = multiprocessing.get_context("fork")
    queue = context.Queue()
    child = context.Process(target=_read_in_child, args=(queue, asset.data, asset.mime, trust, expected))
    child.start()
    assert queue.get(timeout=30)
    child.join(30)
    assert child.exitcode == 0


def test_threads_share_signer_and_settings(picture, spec, signer, trust):
    def once(seed: int) -> ManifestState:
        return sign(picture(seed=seed), spec, signer, trust=trust).reading.state

    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(once, range(12))) == {ManifestState.TRUSTED}


def test_nothing_that_the_next_version_takes_away_is_used():
    """``load_settings``, ``from_archive`` and ``format_embeddable`` are gone in c2pa-rs 0.92."""
    tree = ast.parse(Path(c2pa_adapter.__file__).read_text("utf-8"))
    used = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    assert not used & {"load_settings", "from_archive", "format_embeddable", "_has_context_signer"}


def test_the_source_is_never_written_to(picture, spec, signer, trust, tmp_path):
    """Signing a file onto itself empties it; here bytes go in and bytes come out."""
    source = picture()
    before = bytes(source.data)
    sign(source, spec, signer, trust=trust)
    assert source.data == before
    assert list(tmp_path.iterdir()) == []
