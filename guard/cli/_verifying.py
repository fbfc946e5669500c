"""One file of ``guard verify``: its verdict, and what else was asked to be told of it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from guard.cli._verdict_text import print_requirement, print_verdict
from guard.verdict import MET, Requirement, exit_code

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from guard.cli._batch import Batch
    from guard.inputs import Named
    from guard.lookup import Sources
    from guard.note import Exhibit
    from guard.verdict import Verdict
    from provenance.canonical import Json
    from provenance.errors import Error
    from provenance.manifest.trust import TrustLists
    from provenance.media import Asset


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What was asked of every file.

    Attributes:
        at: time for which certificates are judged.
        trust: lists that count; None: those of the installation.
        marks: read the mark of intact files too.
        requirement: of ``--require``.
        tree: draw the ingredients.
        crjson: add the crJSON of each manifest.
        isolated: read formats beyond PNG, JPEG and WebP in a process of their own.
        sources: registries and keys to look marks up with; None: those of the installation.
    """

    at: datetime
    trust: TrustLists | None
    marks: bool = False
    requirement: Requirement | None = None
    tree: bool = False
    crjson: bool = False
    isolated: bool = True
    sources: Sources | None = None


@dataclass(slots=True, kw_only=True)
class Verifying:
    """Judges files one after the other.

    Attributes:
        asked: the same of every file.
        batch: takes the results.
        keep: whether exhibits are kept for a note.
        exhibits: what a note tells of, as long as ``keep`` is set.
        paths: where each of them lies.
    """

    asked: Asked
    batch: Batch
    keep: bool = False
    exhibits: list[Exhibit] = field(default_factory=list)
    paths: list[Path] = field(default_factory=list)

    def one(self, named: Named) -> None:
        """Judge one file, and tell; an error is told and the batch goes on."""
        if named.skipped is not None:
            self.batch.skip(named.path, named.skipped)
            return
        before = len(self.exhibits)
        failed: list[Error] = []
        with self.batch.attempt(named.path, noted=failed.append):
            self._judge(named)
        if self.keep and len(self.exhibits) == before and failed:
            self._exhibit(named, error=failed[0])

    def _judge(self, named: Named) -> None:
        if named.problem is not None:
            raise named.problem
        asset, sidecar = self._opened(named)
        verdict = self._verdict(named.path, asset, sidecar)
        needed = self.asked.requirement
        code = exit_code(verdict.state, needed, vouched=verdict.vouched, added=verdict.added)
        self.batch.add(self._document(verdict, asset, sidecar, code), code, file=named.path)
        if self.keep and asset is not None:
            self._exhibit(named, asset=asset, verdict=verdict, beside=sidecar is not None)
        if self.batch.format_ != "text":
            return
        print_verdict(named.path, verdict, code, tree=self.asked.tree)
        if needed is not None:
            print_requirement(needed.value, met=code == MET)

    def _opened(self, named: Named) -> tuple[Asset | None, bytes | None]:
        """The bytes, where more than a verdict is to be told of them."""
        if not named.stdin and not self.keep and not self.asked.crjson:
            return None, None
        from guard.inputs import opened  # noqa: PLC0415

        return opened(named)

    def _verdict(self, path: Path, asset: Asset | None, sidecar: bytes | None) -> Verdict:
        from guard import api  # noqa: PLC0415

        asked = self.asked
        if asset is None:
            return api.verify_file(
                path,
                at=asked.at,
                marks=asked.marks,
                trust=asked.trust,
                isolated=asked.isolated,
                sources=asked.sources,
            )
        return api.verify_asset(
            asset,
            sidecar=sidecar,
            at=asked.at,
            marks=asked.marks,
            trust=asked.trust,
            isolated=asked.isolated,
            sources=asked.sources,
        )

    def _document(
        self, verdict: Verdict, asset: Asset | None, sidecar: bytes | None, code: int
    ) -> Verdict | dict[str, Json]:
        """A verdict with what ``--require`` asked of it, and its crJSON."""
        asked = self.asked
        if asked.requirement is None and not asked.crjson:
            return verdict
        from guard.serialise import to_json  # noqa: PLC0415

        body = to_json(verdict)
        assert isinstance(body, dict)
        if asked.requirement is not None:
            body["required"] = {"level": asked.requirement.value, "met": code == MET}
        if asked.crjson and asset is not None:
            body |= self._crjson(verdict, asset, sidecar)
        return body

    def _crjson(self, verdict: Verdict, asset: Asset, sidecar: bytes | None) -> dict[str, Json]:
        from guard.home import Home  # noqa: PLC0415
        from guard.verify import READ_HERE  # noqa: PLC0415
        from provenance.manifest.crjson import crjson  # noqa: PLC0415
        from provenance.manifest.isolated import crjson_isolated  # noqa: PLC0415

        manifest = verdict.manifest
        if manifest is None:
            return {"crjson": None, "crjson_missing": "there is no manifest"}
        trust = self.asked.trust if self.asked.trust is not None else Home.locate().trust()
        form = crjson_isolated if self.asked.isolated and asset.mime not in READ_HERE else crjson
        found = form(asset, manifest, trust, sidecar=sidecar)
        if found.document is None:
            return {"crjson": None, "crjson_missing": found.missing}
        return {"crjson": dict(found.document)}

    def _exhibit(
        self,
        named: Named,
        *,
        asset: Asset | None = None,
        verdict: Verdict | None = None,
        error: Error | None = None,
        beside: bool = False,
    ) -> None:
        from guard.note import Exhibit  # noqa: PLC0415

        size, mime = (None, None) if asset is None else (len(asset.content), asset.mime)
        self.exhibits.append(
            Exhibit(name=named.path.name, size=size, mime=mime, verdict=verdict, error=error, beside=beside)
        )
        self.paths.append(named.path)


def write_note(path: Path, verifying: Verifying, *, options: tuple[str, ...], force: bool) -> None:
    """The note on everything that was judged.

    Raises:
        InputError: ``output.exists`` or ``output.unwritable``.
    """
    from guard.clock import utc_now  # noqa: PLC0415
    from guard.home import Home  # noqa: PLC0415
    from guard.note import Circumstances, told_apart  # noqa: PLC0415
    from guard.note_page import page  # noqa: PLC0415
    from guard.report_file import write_whole  # noqa: PLC0415

    asked = verifying.asked
    trust = asked.trust if asked.trust is not None else Home.locate().trust()
    circumstances = Circumstances(made=utc_now(), at=asked.at, trust=trust, options=options)
    names = told_apart(verifying.paths)
    exhibits = [replace(one, name=name) for one, name in zip(verifying.exhibits, names, strict=True)]
    write_whole(path, page(exhibits, circumstances).encode("utf-8"), force=force)
