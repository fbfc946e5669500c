"""Of a file without a manifest no answer speaks of one."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from guard.origin_answers import identity_answer
from provenance.evidence import Outcome
from provenance.manifest.reading import ManifestReading, ManifestState

AT = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (ManifestState.ABSENT, "no manifest in the file"),
        (ManifestState.REMOTE_ONLY, "no manifest in the file"),
        (ManifestState.TAMPERED, "the manifest is not intact"),
        (ManifestState.MALFORMED, "the manifest is not intact"),
    ],
)
def test_identity(state, words):
    answer = identity_answer(ManifestReading(state=state, reason="", at=AT))
    assert answer.outcome is Outcome.NOT_CHECKED
    assert answer.text.startswith(words)
