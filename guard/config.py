"""The settings of an installation, ``config.toml``: defaults that flags override."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, TypeVar, get_type_hints

from generators.energy import Rates
from generators.registry import INSTRUMENTS
from provenance.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from provenance.timestamp.client import TimeStamper

_NEEDED = {"file": (), "pkcs11": ("module", "token", "key"), "command": ("command",), "socket": ("socket",)}
"""Where a signing key may be, and the settings that say where."""
MINING = ("allowed", "notAllowed", "constrained")
"""Choices of CAWG training and data mining."""
_POLICIES = ("required", "preferred", "none")
_RATES = Rates()
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True, kw_only=True)
class SignerConfig:
    """``[signer]``: where the signing key is.

    Attributes:
        kind: ``file`` (``keys/signing/key.pem``), ``pkcs11`` (a hardware token), ``command`` (a program
            that asks a key service) or ``socket`` (a signer process).
        module: path of the token's PKCS 11 library.
        token: label of the token.
        key: label of the private key, or ``id:`` and its id in hexadecimal digits.
        command: a program and its arguments.
        timeout_s: for one signature of a program.
        socket: path of the signer process's socket.
    """

    kind: str = "file"
    module: str = ""
    token: str = ""
    key: str = ""
    command: tuple[str, ...] = ()
    timeout_s: float = 30.0
    socket: str = ""

    def __post_init__(self) -> None:
        if self.kind not in _NEEDED:
            raise ValueError(f"[signer] kind is one of {', '.join(_NEEDED)}")
        for name in _NEEDED[self.kind]:
            if not getattr(self, name):
                raise ValueError(f'[signer] with kind = "{self.kind}" needs {name}')
        if not 0 < self.timeout_s <= 600:
            raise ValueError("[signer] timeout_s is between 0 and 600")


@dataclass(frozen=True, slots=True, kw_only=True)
class TimestampConfig:
    """``[timestamp]``: who is asked to time-stamp signatures (RFC 3161); nobody, if left out.

    Attributes:
        authorities: addresses, the preferred first.
        policy: ``required``, ``preferred`` or ``none``; see ``provenance.timestamp.client.TimePolicy``.
    """

    authorities: tuple[str, ...] = ()
    policy: str = "preferred"

    def __post_init__(self) -> None:
        if self.policy not in _POLICIES:
            raise ValueError(f"[timestamp] policy is one of {', '.join(_POLICIES)}")
        if self.policy == "required" and not self.authorities:
            raise ValueError('[timestamp] with policy = "required" needs authorities')

    def stamper(self) -> TimeStamper | None:
        """Who asks them; None where nobody is to be asked.

        Raises:
            ConfigurationError: ``timestamp.bad-authority``.
        """
        if not self.authorities or self.policy == "none":
            return None
        from provenance.timestamp.client import TimePolicy, TimeStamper  # noqa: PLC0415 - cryptography

        return TimeStamper(authorities=self.authorities, policy=TimePolicy(self.policy))


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistryConfig:
    """``[registry]``: where this installation's own registry is.

    Attributes:
        url: ``postgresql+psycopg://user@host/database``, without a password; empty: ``registry.sqlite`` in
            the home folder.
    """

    url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class EnergyConfig:
    """``[energy]``: what is declared of this machine and its electricity; see ``generators.energy.Rates``.

    Attributes:
        watts_per_core: of a busy processor core, where the machine has no counters.
        grams_per_kwh: CO2 equivalents of the electricity.
        source: where that figure is from; it is told with every result.
    """

    watts_per_core: float = _RATES.watts_per_core
    grams_per_kwh: float = _RATES.grams_per_kwh
    source: str = _RATES.source

    def __post_init__(self) -> None:
        if not 0 < self.watts_per_core <= 1000:
            raise ValueError("[energy] watts_per_core is between 0 and 1000")
        if not 0 <= self.grams_per_kwh <= 5000:
            raise ValueError("[energy] grams_per_kwh is between 0 and 5000")
        if self.grams_per_kwh != _RATES.grams_per_kwh and self.source == _RATES.source:
            raise ValueError("[energy] with grams_per_kwh needs source: where the figure is from")

    def rates(self) -> Rates:
        """The same, for a meter."""
        grams = self.grams_per_kwh
        return Rates(watts_per_core=self.watts_per_core, grams_per_kwh=grams, source=self.source)


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """Defaults that flags override.

    Attributes:
        policy: name or path of the pack in force beside ``base``.
        model: reference of the generator used when none is named.
        training_mining: what manifests say of the use of a file for training: ``allowed``, ``notAllowed``,
            ``constrained``, or nothing.
        signer: where the signing key is.
        timestamp: who is asked to time-stamp signatures.
        registry: where this installation's own registry is.
        energy: what is declared of this machine and its electricity.
        schema_version: of ``config.toml``.
    """

    policy: str = "default"
    model: str = "bundled:emoji"
    training_mining: str = ""
    signer: SignerConfig = field(default_factory=SignerConfig)
    timestamp: TimestampConfig = field(default_factory=TimestampConfig)
    registry: RegistryConfig = field(default_factory=RegistryConfig)
    energy: EnergyConfig = field(default_factory=EnergyConfig)
    schema_version: int = 1

    def __post_init__(self) -> None:
        if self.training_mining not in ("", *MINING):
            raise ValueError(f"training_mining is one of {', '.join(MINING)}")
        if self.model in INSTRUMENTS:
            what = "is skewed on purpose, for audits; it is named with --model, never a default"
            raise ValueError(f"model {self.model!r} {what}")


def read_config(path: Path) -> Config:
    """The settings in the file ``path``; defaults where a key is absent.

    Raises:
        ConfigurationError: ``config.invalid`` for bad TOML, unknown keys, wrong types.
        OSError: it cannot be read.
    """
    import tomllib  # noqa: PLC0415 - verify does without the settings

    try:
        config = _made(Config, tomllib.loads(path.read_text(encoding="utf-8")), "")
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, ValueError) as error:
        raise _invalid(path, str(error)) from error
    if config.schema_version != 1:
        raise _invalid(path, f"schema_version {config.schema_version} is not known here")
    return config


def _made(kind: type[_T], values: Mapping[str, Any], table: str) -> _T:
    """A value of ``kind``, of the keys of a TOML table.

    Raises:
        ValueError: a key is not known, or its value is of another type.
    """
    known = {one.name for one in fields(kind)}  # type: ignore[arg-type] # every kind here is a dataclass
    place = f"[{table}] " if table else ""
    for name in values:
        if name not in known:
            raise ValueError(f"{place}{name[:40]!r} is no setting; there are {', '.join(sorted(known))}")
    hints = get_type_hints(kind)
    return kind(**{name: _value(hints[name], value, name, place) for name, value in values.items()})


def _value(wanted: Any, value: object, name: str, place: str) -> object:
    if wanted in (SignerConfig, TimestampConfig, RegistryConfig, EnergyConfig) and isinstance(value, dict):
        return _made(wanted, value, name)
    if wanted == tuple[str, ...]:
        if isinstance(value, list) and all(isinstance(one, str) for one in value):
            return tuple(value)
        raise ValueError(f"{place}{name} is a list of texts")
    if wanted is float and type(value) in (int, float):
        return value
    if type(value) is not wanted:
        words = {str: "a text", int: "a whole number", float: "a number"}
        raise ValueError(f"{place}{name} is {words.get(wanted, 'a table')}")
    return value


def _invalid(path: Path, what: str) -> ConfigurationError:
    return ConfigurationError(
        "config.invalid",
        f"the settings cannot be used: {what}",
        where=str(path),
        hint="mend the file, or remove it and run guard init",
    )
