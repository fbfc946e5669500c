"""RFC 6962 trees against its own test vectors (as published with the CT reference implementation)."""

import hashlib

import pymerkle
import pytest

from provenance.log.merkle import (
    EMPTY_ROOT,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    node_hash,
    split_point,
    tree_hash,
    verify_consistency,
    verify_inclusion,
)

INPUTS = [bytes.fromhex(text) for text in (
    "", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f",
)]  # fmt: skip
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
LEAVES = [leaf_hash(entry) for entry in INPUTS]


def ranges(leaves):
    return lambda start, end: tree_hash(leaves[start:end])


@pytest.mark.parametrize("size", range(1, 9))
def test_roots_of_the_reference_vectors(size):
    assert tree_hash(LEAVES[:size]).hex() == ROOTS[size - 1]


def test_the_empty_tree():
    assert tree_hash([]) == EMPTY_ROOT == hashlib.sha256(b"").digest()


def test_inclusion_paths_of_the_reference_vectors():
    def path(index, size):
        return [node.hex() for node in inclusion_proof(index, size, ranges(LEAVES))]

    assert path(0, 1) == []
    assert path(0, 8) == [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ]
    assert path(1, 5) == [
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    ]


def test_consistency_proofs_of_the_reference_vectors():
    def proof(old, size):
        return [node.hex() for node in consistency_proof(old, size, ranges(LEAVES))]

    assert proof(1, 1) == []
    assert proof(6, 8) == [
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ]
    assert proof(2, 5) == [
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    ]


def test_pymerkle_agrees_on_roots_and_proofs():
    tree = pymerkle.InmemoryTree(algorithm="sha256")
    leaves = []
    for index in range(70):
        entry = b"entry %d" % index
        tree.append_entry(entry)
        leaves.append(leaf_hash(entry))
        size = index + 1
        root = tree_hash(leaves)
        assert root == tree.get_root()
        proof = tree.prove_inclusion(1 + index // 2, size)
        ours = inclusion_proof(index // 2, size, ranges(leaves))
        assert set(ours) <= set(proof.path)
        pymerkle.verify_inclusion(leaves[index // 2], root, proof)


def test_impossible_proofs_are_refused():
    for index, size in ((0, 0), (3, 3), (-1, 3)):
        with pytest.raises(ValueError, match="no leaf"):
            inclusion_proof(index, size, ranges(LEAVES))
    for old, size in ((0, 3), (4, 3)):
        with pytest.raises(ValueError, match="no proof"):
            consistency_proof(old, size, ranges(LEAVES))


def test_verifiers_answer_false_to_nonsense():
    root, leaf = tree_hash(LEAVES), LEAVES[0]
    proof = inclusion_proof(0, 8, ranges(LEAVES))
    assert verify_inclusion(0, 8, leaf, proof, root)
    for index, size, path in (
        (0, 0, proof),
        (8, 8, proof),
        (-1, 8, proof),
        (0, 8, (*proof, leaf)),
        (0, 8, proof[:-1]),
    ):
        assert not verify_inclusion(index, size, leaf, path, root)
    assert not verify_inclusion(0, 8, leaf, (proof[0][:-1], *proof[1:]), root)
    assert not verify_inclusion(0, 1, leaf, (leaf,), node_hash(leaf, leaf))
    assert verify_consistency(0, 8, EMPTY_ROOT, root, ())
    assert not verify_consistency(0, 8, root, root, ())
    assert not verify_consistency(8, 8, EMPTY_ROOT, root, ())
    assert not verify_consistency(9, 8, root, root, ())
    assert not verify_consistency(3, 8, tree_hash(LEAVES[:3]), root, ())


def test_split_point():
    assert [split_point(size) for size in (2, 3, 4, 5, 8, 9)] == [1, 2, 2, 4, 4, 8]
