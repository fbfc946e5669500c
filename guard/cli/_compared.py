"""``guard recover --against`` and ``--report``: a found file beside a signed one, in words and drawn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from guard.cli._batch import RESULTS, Batch
from guard.cli._options import about
from guard.cli._output import warning
from guard.text import plain
from guard.verdict import MET, NOT_MET, NOTHING_TO_CONCLUDE
from provenance.digest import DigestReading, VisualDigest
from provenance.errors import InputError
from provenance.media import Frames, is_clip

if TYPE_CHECKING:
    from pathlib import Path

    from guard.against import Comparison
    from guard.lookup import Sources
    from guard.recover import Recovery
    from provenance.manifest.reading import ManifestReading
    from provenance.media import Asset


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Where a report goes; None where none was asked for."""

    path: Path | None
    force: bool

    @classmethod
    def asked_for(cls, path: Path | None, files: tuple[Path, ...], *, force: bool) -> Report:
        """Checked before any work is done.

        Raises:
            InputError: ``report.one-file``, ``report.format`` or ``output.…``.
        """
        if path is not None:
            from guard.report_file import check_report  # noqa: PLC0415

            if len(files) != 1:
                what = f"a report shows one file, and {len(files)} are named"
                raise InputError("report.one-file", what, hint="name one FILE with --report")
            check_report(path, force=force)
        return cls(path=path, force=force)

    def refuse_clip(self, asset: Asset) -> None:
        """Before the work on a file, of which no report could be drawn.

        Raises:
            InputError: ``report.clip``.
        """
        if self.path is not None and is_clip(asset.mime):
            what = "reports are drawn of pictures only, and this is a clip"
            hint = "without --report, guard recover says in words which seconds were altered"
            raise InputError("report.clip", what, hint=hint)

    def of_recovery(self, file: Path, asset: Asset, seen: object, found: Recovery) -> None:
        """Draw the first candidate that matches."""
        for candidate in found.candidates:
            reading = candidate.digest.detail
            if isinstance(reading, DigestReading) and reading.matches and isinstance(seen, Frames):
                self._draw(file, asset, seen, reading, candidate.manifest, found.state.value, found.reason)
                return
        self._nothing()

    def of_comparison(self, file: Path, asset: Asset, seen: Frames, made: Comparison) -> None:
        """Draw a comparison that matches."""
        reading = made.digest.detail
        if isinstance(reading, DigestReading) and reading.matches:
            self._draw(file, asset, seen, reading, made.manifest, made.state.value, made.reason)
        else:
            self._nothing()

    def _nothing(self) -> None:
        if self.path is not None:
            warning("no report was drawn: the file matches no signed picture")

    def _draw(
        self,
        file: Path,
        asset: Asset,
        seen: Frames,
        reading: DigestReading,
        manifest: ManifestReading,
        state: str,
        reason: str,
    ) -> None:
        if self.path is None:
            return
        from guard.report_file import write_report  # noqa: PLC0415
        from guard.report_picture import report_picture  # noqa: PLC0415 - numpy, Pillow

        digest = VisualDigest.from_assertion(manifest.digest_assertion)
        changes = _changes(reading, asset, state)
        title = f"{state.upper()}: {changes}"
        lines = (
            ("file", str(file)),
            ("result", f"{state}: {reason}"),
            ("signer", str(manifest.signer or "unreadable")),
            ("what changed", changes),
        )
        picture = report_picture(reading, seen, digest, title)
        write_report(self.path, picture, title, lines, force=self.force)
        click.echo(f"report: {plain(str(self.path))}", err=True)


def compared(files: tuple[Path, ...], against: Path, report: Report, format_: str, sources: Sources) -> int:
    """Hold every file against the picture that ``against`` signs.

    Returns:
        The exit code.

    Raises:
        InputError: ``against.…`` or ``input.…``; the signed file cannot be used.
    """
    from guard.against import hold_against, refuse_clip, signed_digest  # noqa: PLC0415
    from guard.clock import utc_now  # noqa: PLC0415
    from provenance.codecs import decode, read_asset  # noqa: PLC0415
    from provenance.manifest.read import read_manifest  # noqa: PLC0415 - c2pa

    keys = sources.keys(sources.lookup()) if sources.available else ()
    with about(against):
        signed = read_asset(against)
        refuse_clip(signed.mime)
        manifest = read_manifest(signed, sources.home.trust(), at=utc_now())
        digest = signed_digest(manifest)
    batch = Batch(name=RESULTS["recover"], format_=format_)
    for file in files:
        with batch.attempt(file):
            asset = read_asset(file)
            refuse_clip(asset.mime)
            seen = decode(asset)
            made = hold_against(seen, manifest, digest, keys=keys)
            batch.add(made, _code(made), file=file)
            if format_ == "text":
                _print(file, asset, made)
            report.of_comparison(file, asset, seen, made)
    return batch.close()


def _code(made: Comparison) -> int:
    from guard.against import Likeness  # noqa: PLC0415

    if made.state is Likeness.RECOVERED and made.vouched:
        return MET
    return NOT_MET if made.state is Likeness.OTHER else NOTHING_TO_CONCLUDE


def _print(file: Path, asset: Asset, made: Comparison) -> None:
    from guard.changes import heat_map  # noqa: PLC0415

    click.echo(f"{made.state.value.upper()}  {plain(str(file))}")
    click.echo(f"  {plain(made.reason)}")
    click.echo(f"    signer     {plain(str(made.manifest.signer or 'unreadable'))}")
    reading = made.digest.detail
    if isinstance(reading, DigestReading) and reading.matches:
        click.echo(f"    picture    {plain(_changes(reading, asset, made.state.value))}")
        if reading.altered_fraction > 0:
            click.echo("    altered where marked, in the frame of the original (· cut away):")
            for row in heat_map(reading):
                click.echo(f"      {row}")


def _changes(reading: DigestReading, asset: Asset, state: str) -> str:
    """What changed; by looks alone nobody can say that it is the same picture."""
    from guard.changes import describe_changes  # noqa: PLC0415

    words = describe_changes(reading, asset)
    return words.replace("the same picture", "much like the picture", 1) if state == "similar" else words
