"""The settings of an installation, ``config.toml``: defaults that flags override."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from provenance.errors import ConfigurationError

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """Defaults that flags override.

    Attributes:
        policy: name or path of the pack in force beside ``base``.
        model: reference of the generator used when none is named.
        schema_version: of ``config.toml``.
    """

    policy: str = "default"
    model: str = "bundled:emoji"
    schema_version: int = 1


def read_config(path: Path) -> Config:
    """The settings in the file ``path``; defaults where a key is absent.

    Raises:
        ConfigurationError: ``config.invalid`` for bad TOML, unknown keys, wrong types.
        OSError: it cannot be read.
    """
    import tomllib  # noqa: PLC0415 - verify does without the settings

    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
        config = Config(**values)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, TypeError) as error:
        raise _invalid(path, str(error)) from error
    if not all(isinstance(value, str) for value in (values.get("policy", ""), values.get("model", ""))):
        raise _invalid(path, "policy and model are texts")
    if config.schema_version != 1:
        raise _invalid(path, f"schema_version {config.schema_version} is not known here")
    return config


def _invalid(path: Path, what: str) -> ConfigurationError:
    return ConfigurationError(
        "config.invalid",
        f"the settings cannot be used: {what}",
        where=str(path),
        hint="mend the file, or remove it and run guard init",
    )
