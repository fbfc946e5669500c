"""``guard keys new|list|renew|export-locator``."""

from __future__ import annotations

import secrets
from pathlib import Path

import click

from guard.cli._options import FORMAT, existing_passphrase, new_passphrase
from guard.cli._output import write_document
from guard.text import plain


@click.group("keys")
def command() -> None:
    """Make, list, renew and hand out keys. Each key is its own; none is derived from another."""


PRIVATE_MARK = "The key of the private layer of marks, which nobody but you can write or read."


@command.command("new")
@click.option("--private-mark", is_flag=True, required=True, help=PRIVATE_MARK)
def new(private_mark: bool) -> None:
    """Make a key that guard init does not make.

    --private-mark: from now on marks carry a second layer, bound to what the picture shows. With the key
    this installation can tell that it marked a picture which looks like this one from afar; the
    mark's locator key does not suffice to write that layer. Never hand it out.
    """
    from guard.home import Home  # noqa: PLC0415
    from provenance.key_ring import begin_private_mark  # noqa: PLC0415

    assert private_mark
    key = begin_private_mark(Home.locate().require().private_mark_path)
    click.echo(f"made the private mark key {key.key_id}, epoch {key.epoch}; keep a copy, never hand it out")


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
    (locator, *earlier), private, log = home.locators(), home.private_marks(), home.log().verifier.name
    if format_ != "text":
        found = {"locator": locator, "earlier_locators": earlier, "private_mark": private}
        shown = {"signing": to_json(identity), **{name: to_json(value) for name, value in found.items()}}
        write_document({**shown, "log": log}, format_)
        return
    state = (
        "EXPIRED: guard keys renew"
        if left < 0
        else f"expires {identity.not_after:%Y-%m-%d}, {left} days left"
    )
    click.echo(f"signing  {identity.name} [development]; {state}")
    click.echo(f"         sha256 {identity.fingerprint_sha256}")
    click.echo(f"locator  {locator.key_id}, epoch {locator.epoch}")
    for key in earlier:
        click.echo(f"         {key.key_id}, epoch {key.epoch}; finds earlier marks")
    for number, layer in enumerate(private):
        click.echo(f"{'' if number else 'private':<8} {layer.key_id}, epoch {layer.epoch}")
    click.echo(f"log      {log}")


@command.command("renew")
@click.option(
    "--passphrase/--plain",
    default=None,
    help="Protect the new signing key, or not. As the old one if left out.",
)
@click.option("--locator", is_flag=True, help="The key of the watermark instead: a new epoch.")
@click.option("--private-mark", is_flag=True, help="The key of the private layer instead: a new epoch.")
def renew(passphrase: bool | None, locator: bool, private_mark: bool) -> None:
    """Make a new development identity, or a new epoch of a key of the mark.

    Files signed with the old identity stay verifiable, and marks of earlier epochs are still found.
    Where the old signing key is protected, its passphrase is needed: a slip of the keys would otherwise
    become the new one.
    """
    if locator or private_mark:
        if passphrase is not None or (locator and private_mark):
            raise click.UsageError("one key at a time; only the signing key has a passphrase")
        _new_epoch(of_locator=locator)
        return
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


def _new_epoch(*, of_locator: bool) -> None:
    from guard.agreement import require_locator  # noqa: PLC0415
    from guard.home import Home  # noqa: PLC0415
    from provenance.key_ring import renew_locator, renew_private_mark  # noqa: PLC0415

    home = Home.locate().require()
    if not of_locator:
        home.private_mark()  # nothing begins anew where nothing began
        private = renew_private_mark(home.private_mark_path)
        click.echo(f"private mark key {private.key_id}, epoch {private.epoch}; earlier epochs are kept")
        return
    require_locator(home)
    key = renew_locator(home.locator_path)
    click.echo(f"locator key {key.key_id}, epoch {key.epoch}; marks of earlier epochs are still found")
    click.echo("who had the earlier key needs this one too: guard keys export-locator FILE", err=True)


@command.command("export-locator")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--epoch", type=int, help="Of an earlier epoch; the one in force if left out.")
def export_locator(file: Path, epoch: int | None) -> None:
    """Write the locator key to FILE, for whoever should be able to find your pictures' manifests.

    Whoever has it can read marks, and also write and remove them. That is what it is for: a mark only
    leads to a manifest, and the digest signed there decides.
    """
    from guard.home import Home  # noqa: PLC0415
    from provenance.files import check_writable_folder  # noqa: PLC0415
    from provenance.keys import export_locator as export_to  # noqa: PLC0415

    ring = Home.locate().require().locators()
    key = next((one for one in ring if epoch in (None, one.epoch)), None)
    if key is None:
        known = ", ".join(str(one.epoch) for one in ring)
        raise click.BadParameter(f"there is no epoch {epoch} here, only {known}", param_hint="--epoch")
    check_writable_folder(file.parent)
    export_to(key, file)
    click.echo(f"wrote {plain(str(file))}")
