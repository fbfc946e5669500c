"""Promise 3: a mark finds a manifest; it proves nothing, and a copied one never recovers."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from guard.recover import recover
from guard.verdict import State
from provenance.codecs import decode, read_asset
from provenance.media import Frames
from provenance.registry_entry import Found


def looked_up(pixels, home, tools):
    frames = Frames(pixels=np.ascontiguousarray(pixels)[None])
    return recover(
        frames, keys=[home.locator()], registry=tools.registry, trust=home.trust(), at=tools.clock()
    )


@pytest.fixture
def marked(generated, photographs):
    """(marked pixels, the same before marking) of the first generated picture."""
    after = decode(read_asset(generated[0].path)).pixels[0]
    before = photographs[7 % len(photographs)][:288, :288]
    return after, before


def test_a_stripped_copy_is_recovered(home, tools, marked):
    after, _ = marked
    found = looked_up(after, home, tools)
    assert found.state is State.RECOVERED
    assert not found.candidates[0].manifest.intact  # it never covers these bytes


def test_the_whole_mark_pasted_on_other_pictures_never_recovers(home, tools, marked, photographs):
    """The strongest copy there is: the exact mark, not a denoiser's guess at it."""
    after, before = marked
    residual = after.astype(int) - before.astype(int)
    states = []
    for index, other in enumerate(photographs):
        if index == 7 % len(photographs):
            continue
        host = np.asarray(Image.fromarray(other).resize((288, 288)))
        for gain in (1.0, 1.5):
            forged = np.clip(host + gain * residual, 0, 255).round().astype(np.uint8)
            states.append(looked_up(forged, home, tools).state)
    assert State.RECOVERED not in states
    assert State.LOCATOR_MISMATCH in states  # the paste worked, and was noticed


def test_a_mark_nobody_registered_recovers_nothing(home, tools, photograph):
    frames = Frames(pixels=photograph[None])
    stray = tools.marker.embed(frames, b"\x13" * 8, target_db=42.0)
    found = looked_up(stray.frames.pixels[0], home, tools)
    assert found.state is State.NO_CREDENTIALS
    assert "no registry here knows it" in found.reason


class PoisonedRegistry:
    """A registry whose keeper rewrites manifests, digests and all."""

    def __init__(self, honest):
        self.honest = honest

    notes = ()

    def look_up(self, *wanted):
        return Found(entries=tuple(map(self.rewritten, self.honest.find(*wanted))))

    @staticmethod
    def rewritten(entry):
        manifest = entry.manifest.replace(b"trainedAlgorithmicMedia", b"digitalCapture_________")
        assert manifest != entry.manifest
        return replace(entry, manifest=manifest, manifest_sha256=hashlib.sha256(manifest).hexdigest())


def test_a_manifest_rewritten_in_the_registry_recovers_nothing(home, tools, marked):
    after, _ = marked
    found = recover(
        Frames(pixels=np.ascontiguousarray(after)[None]),
        keys=[home.locator()],
        registry=PoisonedRegistry(tools.registry),
        trust=home.trust(),
        at=tools.clock(),
    )
    assert found.state is State.NO_CREDENTIALS
    assert "does not hold" in found.reason


class RedirectingRegistry:
    """A registry whose keeper answers every id with a stranger's correctly signed manifest."""

    def __init__(self, entry):
        self.entry = entry

    notes = ()

    def look_up(self, *_wanted):
        return Found(entries=(self.entry,))


def test_a_correctly_signed_manifest_of_another_mark_recovers_nothing(home, tools, generated):
    """The same picture under another id: the signature holds, the digest matches, the mark is not named."""
    first = decode(read_asset(generated[0].path)).pixels[0]
    other = tools.registry.by_asset(generated[1].signed.asset.sha256)[0]
    found = recover(
        Frames(pixels=np.ascontiguousarray(first)[None]),
        keys=[home.locator()],
        registry=RedirectingRegistry(other),
        trust=home.trust(),
        at=tools.clock(),
    )
    assert found.state is State.NO_CREDENTIALS
    assert "names another mark" in found.reason
