"""``guard keys list|renew|export-locator``."""

from __future__ import annotations

import secrets
from pathlib import Path

import click

from guard.cli._options import FORMAT, existing_passphrase, new_passphrase
from guard.cli._output import write_document
from guard.text import plain


@click.group("keys")
def command() -> None:
    """List, renew and hand out keys. Each key is its own; none is derived from another."""


@command.command("list")
@FORMAT
def list_(format_: str) -> None:
    """Show the keys of this installation, without their secrets."""
    from guard.clock import utc_now  # noqa: PLC0415
    from guard.home import Home  # noqa: PLC0415
    from guard.serialise import to_json  # noqa: PLC0415
    from provenance.manifest.identity import Identity  # noqa: PLC0415
    from provenance.manifest.reading import TrustTier  # noqa: PLC0415

    home = Home.locate().require()
    identity = Identity.of((home.signing_folder / "chain.pem").read_bytes(), TrustTier.DEVELOPMENT)
    left = (identity.not_after - utc_now()).days
    locator, log = home.locator(), home.log().verifier.name
    if format_ != "text":
        signing, reading = to_json(identity), to_json(locator)
        write_document({"signing": signing, "locator": reading, "log": log}, format_)
        return
    state = (
        "EXPIRED: guard keys renew"
        if left < 0
        else f"expires {identity.not_after:%Y-%m-%d}, {left} days left"
    )
    click.echo(f"signing  {identity.name} [development]; {state}")
    click.echo(f"         sha256 {identity.fingerprint_sha256}")
    click.echo(f"locator  {locator.key_id}, epoch {locator.epoch}")
    click.echo(f"log      {log}")


@command.command("renew")
@click.option(
    "--passphrase/--plain",
    default=None,
    help="Protect the new signing key, or not. As the old one if left out.",
)
def renew(passphrase: bool | None) -> None:
    """Make a new development identity. Files signed with the old one stay verifiable.

    Where the old key is protected, its passphrase is needed: a slip of the keys would otherwise become
    the new one.
    """
    from guard.clock import utc_now  # noqa: PLC0415
    from guard.home import Home  # noqa: PLC0415
    from guard.setup import new_identity  # noqa: PLC0415
    from provenance.manifest.identity import require_passphrase  # noqa: PLC0415

    home = Home.locate().require()
    protected = home.is_protected()
    if protected:
        require_passphrase(home.signing_folder / "key.pem", existing_passphrase)
    protect = protected if passphrase is None else passphrase
    secret = new_passphrase() if protect else None
    new_identity(home, now=utc_now(), random=secrets.token_bytes, passphrase=secret)
    how = "protected by a passphrase" if protect else "without a passphrase"
    click.echo(f"made a new development identity, {how}; the earlier one is kept beside it")


@command.command("export-locator")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
def export_locator(file: Path) -> None:
    """Write the locator key to FILE, for whoever should be able to find your pictures' manifests.

    Whoever has it can read marks, and also write and remove them. That is what it is for: a mark only
    leads to a manifest, and the digest signed there decides.
    """
    from guard.home import Home  # noqa: PLC0415
    from provenance.files import check_writable_folder  # noqa: PLC0415
    from provenance.keys import export_locator as export_to  # noqa: PLC0415

    key = Home.locate().require().locator()
    check_writable_folder(file.parent)
    export_to(key, file)
    click.echo(f"wrote {plain(str(file))}")
