"""``guard keys revoke``."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from guard.cli._options import about
from guard.text import plain

if TYPE_CHECKING:
    from cryptography import x509

    from guard.home import Home

REASONS = ("unspecified", "key-compromise", "affiliation-changed", "superseded", "cessation-of-operation")


def _time(_ctx: click.Context, _option: click.Parameter, value: str | None) -> datetime | None:
    if value is None:
        return None
    try:
        found = datetime.fromisoformat(value)
    except ValueError as error:
        raise click.BadParameter("a time such as 2026-03-01 or 2026-03-01T14:30+01:00") from error
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)


@click.command("revoke")
@click.argument("fingerprint", required=False)
@click.option(
    "--certificate",
    metavar="PEM",
    type=click.Path(path_type=Path, readable=False),
    help="A certificate of somebody else, or of another installation: the first of the file.",
)
@click.option(
    "--reason", type=click.Choice(REASONS), required=True, help="Why; with key-compromise the key too."
)
@click.option(
    "--at",
    metavar="TIME",
    callback=_time,
    help="From when on; UTC unless it says otherwise. Now if left out.",
)
def revoke(fingerprint: str | None, certificate: Path | None, reason: str, at: datetime | None) -> None:
    """Let the signatures of a certificate count no more, from a time on.

    FINGERPRINT: of an own identity, its first 8 digits or more (guard keys list).

    What it signed verifies as REVOKED here, except where a time stamp of a listed authority proves that
    it was before. Cannot be taken back. Tell the authority that issued it, and those who verify your files:
    they record it with --certificate.
    """
    from guard.clock import utc_now  # noqa: PLC0415
    from guard.home import Home  # noqa: PLC0415
    from guard.revoking import revoke as record  # noqa: PLC0415
    from provenance.manifest.revocation import RevocationReason  # noqa: PLC0415

    if (fingerprint is None) == (certificate is None):
        raise click.UsageError("name an identity by its FINGERPRINT, or a file with --certificate")
    home, now = Home.locate().require(), utc_now()
    found = _own(home, fingerprint, now) if fingerprint is not None else _first(certificate)
    made = record(home, found, at=at or now, reason=RevocationReason(reason), now=now)
    click.echo(f"{plain(made.name)} ({made.fingerprint_sha256[:16]}…) is {made.told}")
    if fingerprint is not None:
        click.echo(
            "next: guard keys renew (or csr) for another identity; guard sign again what has to stand",
            err=True,
        )


def _own(home: Home, fingerprint: str, now: datetime) -> x509.Certificate:
    from guard.identities import own_identities  # noqa: PLC0415
    from guard.revoking import named  # noqa: PLC0415
    from provenance.manifest.signers import leaf_of  # noqa: PLC0415

    one = named(own_identities(home, now=now), fingerprint)
    return leaf_of((home.signing_folder.parent / one.folder / "chain.pem").read_bytes())


def _first(file: Path | None) -> x509.Certificate:
    from provenance.errors import InputError  # noqa: PLC0415
    from provenance.files import read_bounded  # noqa: PLC0415
    from provenance.manifest.profile import read_chain  # noqa: PLC0415

    assert file is not None
    with about(file):
        first = read_chain(read_bounded(file, most=1 << 20))[0]
        if isinstance(first, str):
            raise InputError("chain.unreadable", first, hint="give the certificate as its issuer made it")
    return first
