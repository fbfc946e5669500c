"""``guard recover``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from guard.cli._batch import RESULTS, Batch
from guard.cli._options import FILES, FORCE, FORMAT, LOCATOR, REGISTRY, NewPath, finish
from guard.cli._output import warning
from guard.cli.watermark import show_private
from guard.serialise import to_json
from guard.text import plain
from guard.verdict import MET, NOT_MET, NOTHING_TO_CONCLUDE, State
from provenance.media import Frames

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from guard.cli._compared import Report
    from guard.lookup import Sources
    from guard.recover import Candidate, Recovery
    from guard.similar import Gallery, LooksLike
    from guard.verify import Relinking
    from provenance.evidence import Evidence
    from provenance.manifest.trust import TrustLists
    from provenance.media import Asset


@click.command("recover")
@FILES
@click.option(
    "--against",
    type=click.Path(path_type=Path),
    metavar="SIGNED",
    help="Compare with this signed picture instead of looking in the registry.",
)
@click.option(
    "--report",
    type=NewPath(path_type=Path, dir_okay=False),
    metavar="OUT",
    help="Draw what changed into a new .png or .html file; for one FILE, a picture.",
)
@FORCE
@FORMAT
@REGISTRY
@LOCATOR
@click.option(
    "--similar",
    is_flag=True,
    help="Also name released pictures that look like FILE where no mark leads to one: a hint, and no proof.",
)
def command(
    files: tuple[Path, ...],
    against: Path | None,
    report: Path | None,
    force: bool,
    format_: str,
    registries: tuple[Path, ...],
    locators: tuple[Path, ...],
    similar: bool,
) -> None:
    """Find the credentials of stripped or changed copies, and say what changed.

    0 a credential for a matching picture or clip was found and its signer is known here, 1 the mark was
    made for another or the credential was withdrawn, 3 neither. Whether a manifest in FILE covers its
    bytes is not looked at: guard verify. With --against: 0 the mark and the digest that SIGNED holds agree,
    1 another picture, 3 it only looks like it, or too little to say.
    """
    from guard.cli._compared import Report, compared  # noqa: PLC0415
    from guard.home import Home  # noqa: PLC0415
    from guard.lookup import Sources  # noqa: PLC0415

    drawn = Report.asked_for(report, files, force=force)
    sources = Sources(home=Home.locate(), folders=registries, locators=locators)
    if against is not None:
        finish(compared(files, against, drawn, format_, sources))
    finish(_recovered(files, sources, drawn, similar=similar, format_=format_))


def _recovered(files: Sequence[Path], sources: Sources, drawn: Report, *, similar: bool, format_: str) -> int:
    """Every file looked up, shown and drawn; the gravest exit code."""
    from guard.clock import utc_now  # noqa: PLC0415
    from guard.private_layer import beside, keys_at_hand, look  # noqa: PLC0415
    from guard.recover import recover  # noqa: PLC0415
    from guard.verify import decoded  # noqa: PLC0415
    from provenance.codecs import read_asset  # noqa: PLC0415

    means, trust, at = sources.require().relinking(), sources.home.trust(), utc_now()
    keys, private = means.keys, keys_at_hand(sources.home)
    gallery = _gallery(sources, means, trust, at) if similar else None
    batch = Batch(name=RESULTS["recover"], format_=format_)
    for file in files:
        with batch.attempt(file):
            drawn.refuse_clip(asset := read_asset(file))
            seen = decoded(asset, keys, whole=True)
            found = recover(seen, keys=keys, registry=means.registry, trust=trust, at=at, by_digest=True)
            _refuse_blindness(found)
            layer = look(seen, found.mark, locators=keys, keys=private, candidates=found.candidates)
            alike = _alike(gallery, seen, found)
            batch.add(with_similar(beside(found, layer), alike), _code(found), file=file)
            if format_ == "text":
                print_recovery(file, asset, found, layer)
                _print_similar(alike)
            drawn.of_recovery(file, asset, seen, found)
    return batch.close()


def _refuse_blindness(found: Recovery) -> None:
    from provenance.errors import missing_extra  # noqa: PLC0415
    from provenance.evidence import Outcome  # noqa: PLC0415

    if found.mark.outcome is Outcome.NOT_CHECKED and "mediaguard[" in (found.mark.reason or ""):
        raise missing_extra("watermark", "reading marks")


def _gallery(sources: Sources, means: Relinking, trust: TrustLists, at: datetime) -> Gallery:
    from guard.lookup import MergedLookup  # noqa: PLC0415
    from guard.similar import Gallery  # noqa: PLC0415

    assert isinstance(means.registry, MergedLookup)
    gallery = Gallery.open(sources.home, means.registry, trust, at)
    for note in gallery.notes:
        warning(note)
    return gallery


def _alike(gallery: Gallery | None, seen: object, found: Recovery) -> tuple[LooksLike, ...]:
    """What looks like a picture that no mark leads to a manifest of."""
    if gallery is None or not isinstance(seen, Frames) or found.candidates:
        return ()
    return gallery.look_up(seen)


def _print_similar(alike: tuple[LooksLike, ...]) -> None:
    for one in alike:
        click.echo(f"    looks like {plain(str(one))}")
    if alike:
        click.echo("               no mark says that it is; near-duplicates share such a fingerprint")


def with_similar(body: object, alike: tuple[LooksLike, ...]) -> object:
    """``body`` as a document that also holds ``similar``, where there is something."""
    if not alike:
        return body
    document = to_json(body)
    assert isinstance(document, dict)
    return {**document, "similar": to_json(alike)}


def _code(found: Recovery) -> int:
    if found.state is State.RECOVERED and found.vouched:
        return MET
    gone = found.state in (State.LOCATOR_MISMATCH, State.WITHDRAWN)
    return NOT_MET if gone else NOTHING_TO_CONCLUDE


def print_recovery(file: Path, asset: Asset, found: Recovery, layer: Evidence | None = None) -> None:
    """What was found, in the order a person asks: is there something, whose, and what changed."""
    click.echo(f"{found.state.value.upper()}  {plain(str(file))}")
    bytes_too = "; whether it covers these bytes: guard verify" if found.state is State.RECOVERED else ""
    click.echo(f"  {plain(found.reason)}{bytes_too}")
    for candidate in found.candidates:
        _print_candidate(candidate, asset, said=found.reason)
    for note in found.notes:
        click.echo(f"    registry   {plain(note)}")
    show_private(layer)


def _print_candidate(candidate: Candidate, asset: Asset, *, said: str) -> None:
    from guard.changes import describe_changes, describe_clip, heat_map, span_lines  # noqa: PLC0415
    from provenance.digest import DigestReading  # noqa: PLC0415
    from provenance.video.clip_digest_reading import ClipReading  # noqa: PLC0415

    manifest = candidate.manifest
    click.echo(f"    id         {candidate.entry.content_id.hex()}")
    click.echo(f"    signer     {plain(str(manifest.signer or 'unreadable'))}")
    if candidate.entry.publisher is not None:
        click.echo(f"    found in   registry {plain(candidate.entry.publisher)}")
    if candidate.entry.withdrawn is not None:
        click.echo(f"    withdrawn  {plain(candidate.entry.withdrawn.told)}")
    if manifest.model_name:
        click.echo(f"    made by    {plain(manifest.model_name)}")
    reading = candidate.digest.detail
    if isinstance(reading, DigestReading) and reading.matches:
        click.echo(f"    picture    {plain(describe_changes(reading, asset))}")
        if reading.altered_fraction > 0:
            click.echo("    altered where marked, in the frame of the original (· cut away):")
            for row in heat_map(reading):
                click.echo(f"      {row}")
    elif isinstance(reading, ClipReading) and reading.spans:
        click.echo(f"    clip       {describe_clip(reading)}")
        for line in span_lines(reading):
            click.echo(f"    seconds    {line}")
    elif candidate.digest.reason and candidate.digest.reason not in said:
        click.echo(f"    content    {plain(candidate.digest.reason)}")
