"""TrustMark's 100 bits: payload, BCH parity and the schema's number, from the published parameters.

Bose-Chaudhuri-Hocquenghem codes of length 127 over GF(2^7), made by x^7 + x^3 + 1, shortened. Parameters and
the test's example: github.com/adobe/trustmark, rust/src/bits.rs. How much a valid word proves depends on the
schema: of random words that name it, 7 of 100 are within reach of BCH_3, 1 of 100 of BCH_4, 2 of 1000 of
BCH_5 and 2 of a million of BCH_SUPER.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

LENGTH = 100
_VERSION_BITS = 4
_ORDER = 127
"""Non-zero elements of the field."""
_REDUCE = 0x89
"""x^7 + x^3 + 1."""

Bits = tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Schema:
    """How the 96 bits before the schema's number are shared out.

    Attributes:
        name: as published.
        number: in the last four bits.
        payload: bits.
        corrects: wrong bits among payload and parity that it corrects.
    """

    name: str
    number: int
    payload: int
    corrects: int

    @property
    def parity(self) -> int:
        """Bits."""
        return LENGTH - _VERSION_BITS - self.payload

    @property
    def padding(self) -> int:
        """Zeros behind the payload while the parity is computed: to whole bytes, and a byte more if it is."""
        return 8 - self.payload % 8


SCHEMAS = (
    Schema(name="BCH_SUPER", number=0, payload=40, corrects=8),
    Schema(name="BCH_5", number=1, payload=61, corrects=5),
    Schema(name="BCH_4", number=2, payload=68, corrects=4),
    Schema(name="BCH_3", number=3, payload=75, corrects=3),
)
BCH_5 = SCHEMAS[1]


def encode(payload: Bits, schema: Schema) -> Bits:
    """The 100 bits that carry ``payload``, which has ``schema.payload`` bits."""
    if len(payload) != schema.payload:
        raise ValueError(f"{schema.name} carries {schema.payload} bits")
    number = tuple(schema.number >> place & 1 for place in (3, 2, 1, 0))
    return (*payload, *_parity(payload, schema), *number)


def decode(word: Bits) -> tuple[Schema, Bits] | None:
    """Schema and payload of 100 bits, corrected; None when they name no schema or are beyond correction."""
    number = int("".join(map(str, word[-_VERSION_BITS:])), 2)
    if len(word) != LENGTH or number >= len(SCHEMAS):
        return None
    schema = SCHEMAS[number]
    sent = [*word[: schema.payload], *[0] * schema.padding, *word[schema.payload : -_VERSION_BITS]]
    wrong = _errors(sent, schema)
    padding = range(schema.payload, schema.payload + schema.padding)
    if wrong is None or any(place in padding for place in wrong):
        return None
    for place in wrong:
        sent[place] ^= 1
    return schema, tuple(sent[: schema.payload])


def _parity(payload: Bits, schema: Schema) -> Bits:
    """Remainder of the payload, moved up by the parity's length, after division by the generator."""
    generator = _generator(schema.corrects)
    message = [*payload, *[0] * schema.padding]
    rest = [*message, *[0] * schema.parity]
    for start in range(len(message)):
        if rest[start]:
            for offset, bit in enumerate(generator):
                rest[start + offset] ^= bit
    return tuple(rest[-schema.parity :])


def _errors(sent: list[int], schema: Schema) -> list[int] | None:
    """Places of the wrong bits; None when there are more than can be told."""
    exponents = [len(sent) - 1 - place for place, bit in enumerate(sent) if bit]
    syndromes = [
        _sum(_power(j * exponent) for exponent in exponents) for j in range(1, 2 * schema.corrects + 1)
    ]
    if not any(syndromes):
        return []
    locator = _locator(syndromes)
    wrong = [
        place
        for place in range(len(sent))
        if not _sum(_times(c, _power(-i * (len(sent) - 1 - place))) for i, c in enumerate(locator))
    ]
    return wrong if len(wrong) == len(locator) - 1 <= schema.corrects else None


def _locator(syndromes: list[int]) -> list[int]:
    """Error locator polynomial, lowest power first (Berlekamp-Massey)."""
    current, previous = [1], [1]
    length, gap, scale = 0, 1, 1
    for step, syndrome in enumerate(syndromes):
        off = syndrome ^ _sum(
            _times(current[i], syndromes[step - i]) for i in range(1, min(length, step) + 1)
        )
        if off:
            factor = _times(off, _inverse(scale))
            longer = [*current, *[0] * (len(previous) + gap - len(current))]
            for i, c in enumerate(previous):
                longer[i + gap] ^= _times(factor, c)
            if 2 * length <= step:
                length, previous, scale, gap = step + 1 - length, current, off, 0
            current = longer
        gap += 1
        current += [0] * (length + 1 - len(current))
    return _trimmed(current)


def _trimmed(polynomial: list[int]) -> list[int]:
    end = len(polynomial)
    while end > 1 and not polynomial[end - 1]:
        end -= 1
    return polynomial[:end]


@cache
def _generator(corrects: int) -> Bits:
    """Its coefficients, highest power first: roots are the first 2t powers of the primitive element."""
    roots = {power * 2**k % _ORDER for power in range(1, 2 * corrects) for k in range(7)}
    made = [1]
    for root in roots:
        longer = [*made, 0]
        for place, c in enumerate(made):
            longer[place + 1] ^= _times(c, _power(root))
        made = longer
    return tuple(made)


@cache
def _tables() -> tuple[Bits, dict[int, int]]:
    powers, value = [], 1
    for _ in range(_ORDER):
        powers.append(value)
        value <<= 1
        if value > _ORDER:
            value ^= _REDUCE
    return tuple(powers), {value: exponent for exponent, value in enumerate(powers)}


def _power(exponent: int) -> int:
    return _tables()[0][exponent % _ORDER]


def _times(one: int, other: int) -> int:
    if not one or not other:
        return 0
    logarithm = _tables()[1]
    return _power(logarithm[one] + logarithm[other])


def _inverse(value: int) -> int:
    return _power(-_tables()[1][value])


def _sum(values: Iterable[int]) -> int:
    total = 0
    for value in values:
        total ^= value
    return total
