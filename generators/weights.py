"""Which files of a model folder may be loaded: safetensors only, inside the folder, digested.

Unpickling runs code. ``from_pretrained`` would quietly load ``.bin`` pickles where no safetensors are;
here such a folder is refused before any library sees it.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from generators.config_limits import check_configs
from generators.own_files import INDEX, LIST, check_own, parts_of
from generators.recipe import WeightFile
from generators.tensor_files import header_length
from provenance.canonical import digest
from provenance.errors import InputError, IntegrityError
from provenance.files import can_be_named

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

PICKLES = (".bin", ".pt", ".pth", ".ckpt", ".pkl", ".pickle")
SETTINGS = (".json", ".txt", ".model", ".jinja", ".spm", ".tiktoken")
"""Configurations, and what tokenizers are made of."""
_LIBRARIES = ("diffusers", "transformers")
"""Where a component's class may come from; anything else would be code of the model's author."""
_PAIR = 2
"""Library and class; diffusers takes two letters for these, too."""
_MAX_TOTAL = 256 * 2**30
"""Bytes of all weights of one model; beyond this a folder is a mistake."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Weights:
    """A model folder that was looked through and may be loaded.

    Attributes:
        folder: where it is.
        pipeline: class name from ``model_index.json``.
        files: every safetensors file, sorted by path.
        settings: the other files that decide what is drawn, sorted by path.
    """

    folder: Path
    pipeline: str
    files: tuple[WeightFile, ...]
    settings: tuple[WeightFile, ...] = ()

    @property
    def sha256(self) -> str:
        """One digest over paths and digests of all files of weights."""
        return digest([[file.path, file.sha256] for file in self.files])


def examine(folder: Path, *, links_within: Path | None = None) -> Weights:
    """Look through a diffusers folder and digest its weights.

    Args:
        folder: holds ``model_index.json``.
        links_within: symbolic links may lead anywhere below here (a hub cache keeps its files so);
            by default nowhere outside ``folder``.

    Raises:
        InputError: no folder or model, pickles only, links leading out, foreign code, no safetensors, files
            that are said to be elsewhere, a component that is listed and not there, a configuration of more
            than any model has.
    """
    index = _read_index(folder)
    paths = files_below(folder, links_within=links_within)
    listed = dict(_components(index))
    for name in listed:
        _check_component(folder / name)
    found = [path for path in paths if path.suffix == ".safetensors"]
    if not found:
        raise pickle_only(folder) if _pickles(folder) else _no_model(folder)
    read = [path for path in paths if path.relative_to(folder).parts[0] in listed]
    check_configs(read)
    check_own(read)
    for name, kind in listed.items():
        _check_complete(folder / name, kind)
    settings = [p for p in paths if p.suffix in SETTINGS and (p.parent != folder or p.name == INDEX)]
    if sum(path.stat().st_size for path in (*found, *settings)) > _MAX_TOTAL:
        raise _refused("weights.too-large", f"the weights exceed {_MAX_TOTAL // 2**30} GiB", folder)
    return Weights(
        folder=folder,
        pipeline=str(index["_class_name"]),
        files=tuple(digested(path, folder) for path in found),
        settings=settings_in(settings, folder),
    )


def settings_in(paths: Iterable[Path], root: Path) -> tuple[WeightFile, ...]:
    """Sizes and digests of configurations, named relative to ``root``."""
    return tuple(_digest(path, root) for path in paths)


def files_below(folder: Path, *, links_within: Path | None = None) -> list[Path]:
    """Every file below ``folder``, sorted; a link to a folder is not walked, so it has to stay within.

    Raises:
        InputError: ``weights.link-outside``; links to files may lead anywhere below ``links_within``.
    """
    found = []
    for path in folder.rglob("*"):
        if not path.exists():  # a link to nothing, or to itself
            continue
        check_inside(path, folder if path.is_dir() else links_within or folder)
        if path.is_file():
            found.append(path)
    return sorted(found)


def check_inside(path: Path, folder: Path) -> None:
    """Refuse a link that leads out of ``folder``.

    Raises:
        InputError: ``weights.link-outside``.
    """
    if not path.resolve().is_relative_to(folder.resolve()):
        raise _refused("weights.link-outside", "a link in the model folder leads out of it", path)


def check_pinned(weights: Weights, pinned: dict[str, str]) -> None:
    """Compare with the digests that were recorded when the model was published.

    Raises:
        IntegrityError: a file is missing, added or different.
    """
    found = {file.path: file.sha256 for file in weights.files}
    if found != pinned:
        wrong = sorted(set(found.items()) ^ set(pinned.items()))[0][0]
        raise IntegrityError(
            "weights.changed",
            "the bundled weights are not the published ones",
            where=wrong,
            hint="pip install --force-reinstall mediaguard",
        )


def _read_index(folder: Path) -> dict[str, Any]:
    path = folder / INDEX
    if not folder.is_dir() or not path.is_file():
        raise _no_model(folder)
    try:
        index = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise _refused("weights.no-model", "model_index.json is not JSON", path) from error
    if not isinstance(index, dict) or not isinstance(index.get("_class_name"), str):
        raise _refused("weights.foreign-code", "model_index.json names no pipeline class of diffusers", path)
    return index


_COMPONENT = re.compile(r"\w{1,100}", re.ASCII)
_AGAIN = "copy or download the whole model again"


def _components(index: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Name and class of every component."""
    for name, value in index.items():
        if name.startswith("_") or not isinstance(value, list | str) or value[:1] == [None]:
            continue
        if isinstance(value, str) and len(value) != _PAIR:
            continue
        if not _COMPONENT.fullmatch(name):
            what = "a component lies in a folder of its own here: its name is letters, digits and _"
            raise InputError("weights.missing-component", what, where=INDEX, hint=_AGAIN)
        if len(value) != _PAIR or value[0] not in _LIBRARIES:
            what = f"component {name} needs code from outside diffusers and transformers"
            raise InputError("weights.foreign-code", what, where=str((*value, "nothing")[0]))
        yield name, str(value[1])


_WITHOUT_WEIGHTS = ("Tokenizer", "TokenizerFast", "TokenizersBackend", "Scheduler", "Processor", "Extractor")
"""How classes of components are called that have settings only; some with "Pil" or "Fast" behind."""


def _check_complete(folder: Path, kind: str) -> None:
    """A folder that was copied or fetched in part is refused here, by the name of what is missing."""
    if not folder.is_dir() or not any(folder.iterdir()):
        raise _incomplete(folder, "the component is listed in model_index.json and not in the folder")
    plain = kind.removesuffix("Pil").removesuffix("Fast")
    if plain.endswith(_WITHOUT_WEIGHTS):
        return
    if not any(folder.glob("*.safetensors")):
        raise _incomplete(folder, "the component has no weights")
    for listing in folder.glob(LIST):
        for part in parts_of(listing):
            if not can_be_named(str(folder / part)) or not (folder / part).is_file():
                raise _incomplete(folder / part, "a part of the weights is not there")


def _incomplete(path: Path, what: str) -> InputError:
    return InputError("weights.missing-component", what, where=str(path), hint=_AGAIN)


def _check_component(folder: Path) -> None:
    """A component with pickles must also have safetensors; only those are then loaded."""
    if folder.is_dir() and _pickles(folder) and not any(folder.glob("*.safetensors")):
        raise pickle_only(folder)


def _pickles(folder: Path) -> bool:
    return any(path.suffix in PICKLES for path in folder.rglob("*"))


def digested(path: Path, root: Path) -> WeightFile:
    """Size and digest of a safetensors file, named relative to ``root``.

    Raises:
        InputError: ``weights.not-safetensors``.
    """
    with path.open("rb") as file:
        if header_length(file, path.stat().st_size) is None or file.read(1) != b"{":
            raise _refused("weights.not-safetensors", "the file has no safetensors header", path)
    return _digest(path, root)


def _digest(path: Path, root: Path) -> WeightFile:
    with path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    return WeightFile(path=path.relative_to(root).as_posix(), size=path.stat().st_size, sha256=sha256)


def _refused(code: str, what: str, path: Path) -> InputError:
    return InputError(code, what, where=str(path))


def _no_model(folder: Path) -> InputError:
    return InputError(
        "weights.no-model",
        "there is no diffusers model here: a folder with model_index.json and safetensors weights",
        where=str(folder),
    )


def pickle_only(folder: Path) -> InputError:
    """The error for weights that would run code when loaded."""
    return InputError(
        "weights.pickle-only",
        "the weights are pickles, which run code when loaded; only safetensors are accepted",
        where=str(folder),
        hint="convert them where you trust them: pipeline.save_pretrained(…, safe_serialization=True)",
    )
