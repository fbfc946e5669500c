"""What an oracle's answers mean, given how often it is wrong: its confusion matrix, and shares put right.

The matrix is counted on pictures whose truth is known, and published with every figure that rests on it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

_ROUNDS = 150
"""Of the expectation-maximisation. It has settled by then, unless the oracle hardly tells the answers apart:
then stopping early keeps shares from running to extremes."""
_TINY, _SETTLED = 1e-300, 1e-6
_PRIOR = 0.5
"""Counts added to a row of a matrix drawn anew (Jeffreys), so that a cell without a count is not certain."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Confusion:
    """One question's matrix.

    Attributes:
        question: of the oracle.
        answers: there are, in order.
        counts: rows truth, columns answers.
    """

    question: str
    answers: tuple[str, ...]
    counts: tuple[tuple[int, ...], ...]

    @property
    def table(self) -> NDArray[np.float64]:
        """(K, K) counts."""
        return np.asarray(self.counts, np.float64)

    @property
    def rates(self) -> NDArray[np.float64]:
        """(K, K), a row the answers to pictures of that truth; one never tried counts as told rightly."""
        return _rates(self.table)

    def drawn(self, rng: np.random.Generator, draws: int) -> NDArray[np.float64]:
        """(R, K, K) rates as they may be too, given how few pictures they were counted on."""
        kinds = len(self.answers)
        shape = np.where(self.table.sum(1, keepdims=True) > 0, self.table + _PRIOR / kinds, 0)
        return _rates(rng.gamma(shape[None], size=(draws, kinds, kinds)))

    def right(self, answer: str) -> float | None:
        """How often pictures of this truth are told rightly; None where none was tried."""
        place = self.answers.index(answer)
        row = self.counts[place]
        return row[place] / sum(row) if sum(row) else None

    def mistaken(self, answer: str) -> float:
        """How often pictures of other truths, each truth alike, are given this answer."""
        place = self.answers.index(answer)
        column = np.delete(self.rates[:, place], place)
        return float(column.mean())


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Shares:
    """Shares of the truths behind a number of answers.

    Attributes:
        observed: (K,) counts of answers.
        corrected: (K,) shares, most likely under the matrix; they sum to 1.
        draws: (R, K) the same for answers and matrices drawn anew.
    """

    observed: NDArray[np.int64]
    corrected: NDArray[np.float64]
    draws: NDArray[np.float64]

    def interval(self, confidence: float = 0.95) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """(K,), (K,): ends of the intervals, of chance in the answers and in the matrix."""
        low, high = np.quantile(self.draws, [(1 - confidence) / 2, (1 + confidence) / 2], axis=0)
        return low, high


def corrected(
    answers: Sequence[int], confusion: Confusion, *, rng: np.random.Generator, draws: int = 200
) -> Shares:
    """Shares of the truths behind ``answers`` (indices into ``confusion.answers``; at least one).

    Most likely shares under a known matrix, by expectation-maximisation: they stay between 0 and 1, where
    inverting the matrix does not (D'Agostini, NIM A 362, 1995).
    """
    kinds = len(confusion.answers)
    observed = np.bincount(np.asarray(answers, np.int64), minlength=kinds)
    # Not a bootstrap: of an answer that nobody got it would draw none, and its interval would end at 0.
    again = rng.dirichlet(observed + 1 / kinds, size=draws)
    return Shares(
        observed=observed,
        corrected=unfold(observed[None].astype(np.float64), confusion.rates[None])[0],
        draws=unfold(again, confusion.drawn(rng, draws)),
    )


def unfold(counts: NDArray[np.float64], rates: NDArray[np.float64]) -> NDArray[np.float64]:
    """(R, K) shares for counts or shares of answers (R, K) under matrices (R or 1, K, K)."""
    shares = np.full(counts.shape, 1 / counts.shape[1])
    for _ in range(_ROUNDS):
        before = shares
        expected = (shares[:, None] @ rates)[:, 0]
        ratio = np.divide(counts, expected, out=np.zeros_like(counts), where=expected > 0)
        shares = shares * (rates @ ratio[..., None])[..., 0]
        shares /= np.maximum(shares.sum(1, keepdims=True), _TINY)
        if np.abs(shares - before).max() < _SETTLED:
            break
    return shares


def _rates(tables: NDArray[np.float64]) -> NDArray[np.float64]:
    sums = tables.sum(-1, keepdims=True)
    known: NDArray[np.float64] = np.where(
        sums > 0, tables / np.where(sums > 0, sums, 1), np.eye(tables.shape[-1])
    )
    return known
