"""The explanations of error codes stay where they are looked for."""

from __future__ import annotations

from itertools import combinations

from guard import codes
from guard.codes import CODES

FILES = (codes.FINDING, codes.INSTALLATION, codes.MEDIA, codes.MODELS, codes.SIGNING)


def subjects(file: dict[str, str]) -> set[str]:
    return {code.partition(".")[0] for code in file}


def test_each_file_is_sorted_and_together_they_are_all():
    assert all(list(file) == sorted(file) for file in FILES)
    assert list(CODES) == sorted(CODES)
    assert len(CODES) == sum(map(len, FILES))


def test_a_subject_has_one_file():
    assert not any(subjects(one) & subjects(other) for one, other in combinations(FILES, 2))
