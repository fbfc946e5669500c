"""Proofs of all sizes verify, and nothing else does."""

from hypothesis import given, settings
from hypothesis import strategies as st

from provenance.log.merkle import (
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    node_hash,
    split_point,
    tree_hash,
    verify_consistency,
    verify_inclusion,
)

LEAVES = [leaf_hash(b"%d" % index) for index in range(300)]


def ranges(start, end):
    return tree_hash(LEAVES[start:end])


def recursive_root(leaves):
    """The definition of RFC 6962 §2.1, word for word."""
    if len(leaves) == 1:
        return leaves[0]
    k = split_point(len(leaves))
    return node_hash(recursive_root(leaves[:k]), recursive_root(leaves[k:]))


@given(st.integers(1, 300))
def test_the_fold_equals_the_definition(size):
    assert tree_hash(LEAVES[:size]) == recursive_root(LEAVES[:size])


def test_every_inclusion_proof_up_to_70_verifies_only_for_its_place():
    for size in range(1, 71):
        root = tree_hash(LEAVES[:size])
        for index in range(size):
            proof = inclusion_proof(index, size, ranges)
            assert len(proof) <= size.bit_length()
            assert verify_inclusion(index, size, LEAVES[index], proof, root)
            assert not verify_inclusion(index, size, LEAVES[index + 1], proof, root)
            assert size == 1 or not verify_inclusion((index + 1) % size, size, LEAVES[index], proof, root)


def test_every_consistency_proof_up_to_70_verifies_only_for_its_sizes():
    roots = [tree_hash(LEAVES[:size]) for size in range(72)]
    for size in range(1, 71):
        for old in range(1, size + 1):
            proof = consistency_proof(old, size, ranges)
            assert verify_consistency(old, size, roots[old], roots[size], proof)
            assert not verify_consistency(old, size, roots[old - 1], roots[size], proof)
            assert not verify_consistency(old, size, roots[old], roots[size + 1], proof)


@settings(max_examples=200)
@given(st.data())
def test_a_damaged_proof_never_verifies(data):
    size = data.draw(st.integers(2, 300))
    index = data.draw(st.integers(0, size - 1))
    proof = list(inclusion_proof(index, size, ranges))
    at, bit = data.draw(st.integers(0, len(proof) - 1)), data.draw(st.integers(0, 255))
    proof[at] = (int.from_bytes(proof[at], "big") ^ 1 << bit).to_bytes(32, "big")
    assert not verify_inclusion(index, size, LEAVES[index], proof, tree_hash(LEAVES[:size]))


@given(
    st.integers(0, 40),
    st.integers(0, 40),
    st.lists(st.binary(min_size=30, max_size=32), max_size=8),
    st.binary(),
)
def test_verifiers_never_fail_on_nonsense(old, size, proof, root):
    verify_inclusion(old, size, LEAVES[0], proof, root)
    verify_consistency(old, size, LEAVES[1], root, proof)
