"""Models of other packages: entry points of the group ``mediaguard.generators``.

An entry point names a function ``load(*, threads: int | None, online: bool) -> Generator``. Installing such a
package is the consent to run its code. What it raises is translated here and nowhere else, and what it yields
is looked at before anybody relies on it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, NoReturn

from generators.fast import check_fast
from generators.interface import Generation, Generator, GeneratorInfo
from provenance.errors import ConfigurationError, Error, InputError, quoted

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from importlib.metadata import EntryPoint

    from generators.interface import LatentInit, StepHook
    from generators.request import GenerationRequest

GROUP = "mediaguard.generators"


@dataclass(frozen=True, slots=True, kw_only=True)
class PluginModel:
    """A model that an installed package offers.

    Attributes:
        ref: as in requests, ``plugin:NAME``.
        distribution: name and version of the package; empty where it has none.
    """

    ref: str
    distribution: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PluginGenerator:
    """A plugin's generator, whose failures are this program's errors.

    Attributes:
        inner: what its loader returned.
        info: its own, under the reference it was asked for by.
        whose: the package, for errors.
    """

    inner: Generator
    info: GeneratorInfo
    whose: str

    def generate(
        self,
        request: GenerationRequest,
        hooks: Sequence[StepHook] = (),
        *,
        latents: LatentInit | None = None,
    ) -> Iterator[Generation]:
        """See ``Generator``.

        Raises:
            ConfigurationError: ``plugin.failed``, ``plugin.not-a-generator``.
            InputError: ``request.fast``, a profile that it does not say it has.
        """
        offered = (name.partition(":") for name in self.info.capabilities)
        check_fast(request, tuple(name for kind, _, name in offered if kind == "fast"))
        count = 0
        try:
            for made in self.inner.generate(request, hooks, latents=latents):
                count += 1
                yield _generation(made, self.whose)
        except (Error, GeneratorExit):
            raise
        except Exception as error:  # noqa: BLE001 - a stranger's code may raise anything
            _failed(self.whose, error, hidden=(request.prompt, request.negative_prompt or ""))
        if count != len(request.seeds):
            raise _no_generator(self.whose, f"it made {count} of {len(request.seeds)} pictures")


def plugins() -> tuple[PluginModel, ...]:
    """The models that installed packages offer, by name; none of them is imported."""
    found = {PluginModel(ref=f"plugin:{one.name}", distribution=_whose(one)) for one in _entries()}
    return tuple(sorted(found, key=lambda one: (one.ref, one.distribution)))


def load_plugin(name: str, *, threads: int | None, online: bool) -> Generator:
    """The generator that a package registered under ``name``.

    Raises:
        InputError: ``model.unknown``.
        ConfigurationError: ``plugin.ambiguous``, ``plugin.failed``, ``plugin.not-a-generator``.
    """
    entry = _entry(name)
    whose = _whose(entry) or entry.value
    try:
        made = entry.load()(threads=threads, online=online)
    except Error:
        raise
    except Exception as error:  # noqa: BLE001 - a stranger's code may raise anything
        _failed(whose, error)
    if not isinstance(made, Generator) or not isinstance(made.info, GeneratorInfo):
        raise _no_generator(whose, f"its loader returned {type(made).__name__}")
    return PluginGenerator(inner=made, info=replace(made.info, id=f"plugin:{name}"), whose=whose)


def _entries() -> tuple[EntryPoint, ...]:
    return tuple(entry_points(group=GROUP))


def _entry(name: str) -> EntryPoint:
    found = {(one.value, _whose(one)): one for one in _entries() if one.name == name}
    if len(found) > 1:
        listed = ", ".join(sorted(whose for _, whose in found))
        raise ConfigurationError(
            "plugin.ambiguous",
            f"several packages offer a model of this name: {listed}",
            where=f"plugin:{name}",
            hint="uninstall all but one of them",
        )
    if not found:
        listed = ", ".join(one.ref for one in plugins())
        hint = (
            f"choose from {listed}"
            if listed
            else "install the package that offers it; guard doctor lists them"
        )
        raise InputError(
            "model.unknown", "no installed package offers this model", where=f"plugin:{name}", hint=hint
        )
    return next(iter(found.values()))


def _generation(made: object, whose: str) -> Generation:
    if not isinstance(made, Generation):
        raise _no_generator(whose, f"it yielded {type(made).__name__}")
    return made


def _whose(entry: EntryPoint) -> str:
    return f"{entry.dist.name} {entry.dist.version}" if entry.dist is not None else ""


def _failed(whose: str, error: Exception, *, hidden: Iterable[str] = ()) -> NoReturn:
    said = quoted(error, hidden=hidden)
    raise ConfigurationError(
        "plugin.failed",
        f"the model's package failed: {type(error).__name__}{said and f': {said}'}",
        where=whose,
        hint="report it to the authors of that package",
    ) from error


def _no_generator(whose: str, what: str) -> ConfigurationError:
    return ConfigurationError(
        "plugin.not-a-generator",
        f"the package does not keep to what a generator is: {what}",
        where=whose,
        hint="see generators.interface.Generator, or guard.wrap for a function that returns pictures",
    )
