"""States, requirements and exit codes are one table; these hold it to the house's."""

from __future__ import annotations

import itertools

import pytest

from guard.verdict import MEANING, Requirement, State, exit_code, gravest


def test_every_state_has_a_meaning_and_an_exit_code() -> None:
    assert set(MEANING) == set(State)
    assert all("clip" in said for said in MEANING.values() if "picture" in said)
    assert {state: exit_code(state) for state in State} == {
        State.TRUSTED: 0,
        State.DEVELOPMENT: 0,
        State.UNKNOWN_SIGNER: 3,
        State.REVOKED: 1,
        State.EXPIRED: 3,
        State.HISTORY_PROBLEM: 1,
        State.TAMPERED: 1,
        State.MALFORMED: 1,
        State.LOCATOR_MISMATCH: 1,
        State.CONFLICT: 1,
        State.NO_CREDENTIALS: 3,
        State.REMOTE_ONLY: 3,
        State.RECOVERED: 3,
        State.WITHDRAWN: 1,
    }


def test_a_requirement_leaves_nothing_open() -> None:
    codes = {exit_code(state, requirement) for state in State for requirement in Requirement}
    assert codes == {0, 1}


def test_a_development_identity_is_never_trusted() -> None:
    assert exit_code(State.DEVELOPMENT, Requirement.TRUSTED) == 1
    assert exit_code(State.DEVELOPMENT, Requirement.INTACT) == 0


@pytest.mark.parametrize(
    "state", [State.TAMPERED, State.MALFORMED, State.LOCATOR_MISMATCH, State.CONFLICT, State.HISTORY_PROBLEM]
)
def test_no_requirement_accepts_a_contradiction(state: State) -> None:
    assert all(exit_code(state, requirement) == 1 for requirement in Requirement)


def test_a_stronger_state_never_does_worse() -> None:
    order = [State.TRUSTED, State.DEVELOPMENT, State.RECOVERED, State.NO_CREDENTIALS]
    for requirement in Requirement:
        codes = [exit_code(state, requirement) for state in order]
        assert codes == sorted(codes)


@pytest.mark.parametrize("requirement", Requirement)
def test_an_unknown_signer_never_exits_0(requirement: Requirement) -> None:
    assert exit_code(State.UNKNOWN_SIGNER, requirement) == 1
    assert all(exit_code(state, requirement, vouched=False) == 1 for state in State)


def test_the_gravest_of_a_batch_wins() -> None:
    rank = [0, 3, 1, 2, 70]
    for first, second in itertools.product(rank, repeat=2):
        assert gravest([first, second]) == max(first, second, key=rank.index)
    assert gravest([]) == 2
