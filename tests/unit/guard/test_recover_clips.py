"""What a recovery says of clips that no mark led to, and of a picture whose mark leads to a clip."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from guard.recover import _by_digest_alone, _compare
from provenance.evidence import Outcome
from provenance.manifest.reading import ManifestState
from provenance.media import Frames


def candidates(*ids):
    return tuple(SimpleNamespace(entry=SimpleNamespace(content_id=bytes([one] * 8))) for one in ids)


@pytest.mark.parametrize(
    ("ids", "ends"),
    [
        ((1,), "it has seconds of 0101010101010101"),
        ((1, 1), "it has seconds of 0101010101010101"),
        ((1, 2), "it has seconds of 2 released clips, each with what it has of it below its id"),
    ],
)
def test_one_clip_is_named_and_several_are_counted(ids, ends):
    assert _by_digest_alone(candidates(*ids)).endswith(ends)


def test_nothing_is_said_of_no_clips():
    assert _by_digest_alone(()) == ""


def test_a_still_is_told_what_to_do_next():
    manifest = SimpleNamespace(state=ManifestState.TRUSTED, mime="video/mp4", digest_assertion={})
    still = Frames(pixels=np.zeros((1, 32, 32, 3), np.uint8))
    evidence = _compare(manifest, still, None)
    assert evidence.outcome is Outcome.NOT_CHECKED
    assert evidence.reason.startswith(
        "the mark leads to the manifest of a clip, and this is a single picture"
    )
    assert "see for yourself" in evidence.reason
    assert ";" not in evidence.reason
