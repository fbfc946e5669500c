"""The JSON of every state follows the published schema."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from guard.serialise import to_json
from guard.verdict import MEANING, QUESTIONS, Answer, State, Verdict, exit_code
from provenance.evidence import Evidence, Outcome
from provenance.manifest.reading import (
    IngredientReading,
    ManifestReading,
    ManifestState,
    SignerReading,
    SigningTime,
    TrustTier,
)

SCHEMA = json.loads(
    (Path(__file__).resolve().parents[3] / "docs/reference/verdict.schema.json").read_text(encoding="utf-8")
)
WHEN = datetime(2026, 11, 1, tzinfo=UTC)
SIGNER = SignerReading(
    name="Claim Signer",
    organisation="Example Labs",
    issuer="Issuing",
    tier=TrustTier.OWN,
    list_name="ours",
    fingerprint_sha256="ab" * 32,
    not_before=WHEN,
    not_after=WHEN,
    time=SigningTime.PROVEN,
    signed_at=WHEN,
    time_authority="Clock [own: clocks]",
)


def node(*children: IngredientReading) -> IngredientReading:
    return IngredientReading(
        title="\x1b\u202e",
        relationship="parentOf",
        label="urn:c2pa:1",
        recorded=("assertion.dataHash.mismatch",),
        revalidated=(),
        problem=True,
        validated=True,
        signer=SIGNER,
        children=children,
    )


def document(state: State) -> dict:
    manifest = ManifestReading(
        state=ManifestState.TRUSTED,
        reason="bytes intact",
        at=WHEN,
        signer=SIGNER,
        ingredients=(node(node()),),
        uncovered=("bytes 1-2: free box",),
        digest_assertion={"version": 1},
    )
    evidence = Evidence(claim="c", channel="c2pa", outcome=Outcome.SUPPORTS, reason="r", detail=manifest)
    verdict = Verdict(
        asset_sha256="00" * 32,
        state=state,
        reason=MEANING[state],
        answers=tuple(Answer(question=one, outcome=Outcome.SUPPORTS, text="x") for one in QUESTIONS),
        vouched=True,
        evidence=(evidence,),
    )
    code = exit_code(state)
    body = to_json(verdict)
    assert isinstance(body, dict)
    one = {"file": "a.png", "exit_code": code, **body}
    return {"schema_version": 1, "exit_code": code, "verdicts": [one], "errors": []}


@pytest.mark.parametrize("state", State)
def test_the_document_of_every_state_follows_the_schema(state):
    assert not list(Draft202012Validator(SCHEMA).iter_errors(document(state)))


def test_the_schema_notices_a_name_without_its_tier_anywhere_in_the_tree():
    broken = document(State.TRUSTED)
    del broken["verdicts"][0]["evidence"][0]["detail"]["ingredients"][0]["children"][0]["signer"]["tier"]
    assert list(Draft202012Validator(SCHEMA).iter_errors(broken))


def test_the_schema_notices_a_question_left_out():
    broken = document(State.TRUSTED)
    broken["verdicts"][0]["answers"].pop()
    assert list(Draft202012Validator(SCHEMA).iter_errors(broken))
