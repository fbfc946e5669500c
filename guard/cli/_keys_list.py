"""``guard keys list``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from guard.cli._options import FORMAT
from guard.cli._output import write_document
from guard.text import plain

if TYPE_CHECKING:
    from datetime import datetime

    from guard.home import Home
    from guard.identities import OwnIdentity
    from provenance.canonical import Json


_ELSEWHERE = {
    "gone": "its key is gone, or on a token",
    "pkcs11": "its key is on a token",
    "command": "its key is behind a program",
    "socket": "its key is that of the signer process",
}
"""Where a key is that is not in a file here."""


@click.command("list")
@FORMAT
def list_(format_: str) -> None:
    """Show the keys of this installation, without their secrets.

    Of each signing identity: whom it names, what that is worth here (tier), until when, and whether it
    was revoked.
    """
    from guard.clock import utc_now  # noqa: PLC0415
    from guard.home import Home  # noqa: PLC0415
    from guard.identities import own_identities  # noqa: PLC0415

    home, now = Home.locate().require(), utc_now()
    identities = own_identities(home, now=now)
    if format_ != "text":
        write_document(_document(home, identities), format_)
        return
    for one in identities:
        _tell(one, now)
    if home.requested_folder.is_dir():
        click.echo("waiting  a key waits for its certificate: guard keys csr, then guard keys import CHAIN")
    _tell_others(home)


def _document(home: Home, identities: tuple[OwnIdentity, ...]) -> dict[str, Json]:
    from guard.serialise import to_json  # noqa: PLC0415

    locator, *earlier = home.locators()
    return {
        "signing": to_json(identities[0]),
        "earlier_signing": to_json(identities[1:]),
        "requested": home.requested_folder.is_dir(),
        "locator": to_json(locator),
        "earlier_locators": to_json(earlier),
        "private_mark": to_json(home.private_marks()),
        "log": home.log().verifier.name,
    }


def _tell(one: OwnIdentity, now: datetime) -> None:
    from guard.identities import IdentityState  # noqa: PLC0415

    left = (one.not_after - now).days
    words = {
        IdentityState.IN_FORCE: f"expires {one.not_after:%Y-%m-%d}, {left} days left",
        IdentityState.EARLIER: f"earlier; expires {one.not_after:%Y-%m-%d}",
        IdentityState.EXPIRED: f"EXPIRED {one.not_after:%Y-%m-%d}",
        IdentityState.NOT_YET_VALID: f"not valid before {one.not_before:%Y-%m-%d %H:%M} UTC",
        IdentityState.REVOKED: f"REVOKED: {one.revocation}",
    }
    current = one.folder == "signing"
    if current and one.state in {IdentityState.EXPIRED, IdentityState.REVOKED}:
        words[one.state] += ": guard keys renew" if one.development else ": guard keys csr"
    locked = _ELSEWHERE.get(one.key_at) or ("protected by a passphrase" if one.protected else "no passphrase")
    click.echo(f"{'signing' if current else '':<8} {plain(str(one))}; {words[one.state]}")
    click.echo(f"         issued by {plain(one.issuer)}; {locked}")
    click.echo(f"         sha256 {one.fingerprint_sha256}")


def _tell_others(home: Home) -> None:
    (locator, *earlier), private = home.locators(), home.private_marks()
    click.echo(f"locator  {locator.key_id}, epoch {locator.epoch}")
    for key in earlier:
        click.echo(f"         {key.key_id}, epoch {key.epoch}; finds earlier marks")
    for number, layer in enumerate(private):
        click.echo(f"{'' if number else 'private':<8} {layer.key_id}, epoch {layer.epoch}")
    click.echo(f"log      {home.log().verifier.name}")
