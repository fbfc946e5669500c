"""``guard keys``: new, renew and export-locator here, the others in ``_keys_…``."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import TYPE_CHECKING

import click

from guard.cli._keys_enrol import ALGORITHM, PROTECT, csr, import_
from guard.cli._keys_lint import lint
from guard.cli._keys_list import list_
from guard.cli._keys_revoke import revoke
from guard.cli._passphrase import PASSPHRASE_FROM, existing_passphrase, new_passphrase
from guard.text import plain

if TYPE_CHECKING:
    from guard.home import Home


@click.group("keys")
def command() -> None:
    """Make, certify, list, renew, revoke and hand out keys. Each is its own; none is derived from another."""


PRIVATE_MARK = "The key of the private layer of marks, which nobody but you can write or read."


command.add_command(list_)
command.add_command(lint)
command.add_command(csr)
command.add_command(import_)
command.add_command(revoke)


@command.command("new")
@click.option(
    "--signing", is_flag=True, help="A signing key that waits for its certificate (guard keys csr)."
)
@click.option("--private-mark", is_flag=True, help=PRIVATE_MARK)
@ALGORITHM
@PROTECT
@PASSPHRASE_FROM
def new(signing: bool, private_mark: bool, algorithm: str, passphrase: bool | None) -> None:
    """Make a key that guard init does not make.

    --signing: a private key for an identity that an authority vouches for. The identity in force goes on
    signing until guard keys import brings the certificate.

    --private-mark: from now on marks carry a second layer, bound to what the picture shows. With the key
    this installation can tell that it marked a picture which looks like this one from afar; the
    mark's locator key does not suffice to write that layer. Never hand it out.
    """
    from guard.home import Home  # noqa: PLC0415

    if signing == private_mark:
        raise click.UsageError("one key at a time: --signing or --private-mark")
    home = Home.locate().require()
    if private_mark:
        _begin_private_mark(home, plain_options=algorithm == "es256" and passphrase is None)
        return
    from guard.enrolment import make_requested_key  # noqa: PLC0415

    protect = home.is_protected() if passphrase is None else passphrase
    make_requested_key(home, algorithm=algorithm, passphrase=new_passphrase() if protect else None)
    how = "protected by a passphrase" if protect else "without a passphrase"
    click.echo(f"made a signing key for {algorithm}, {how}; next: guard keys csr")


def _begin_private_mark(home: Home, *, plain_options: bool) -> None:
    from provenance.key_ring import begin_private_mark  # noqa: PLC0415

    if not plain_options:
        raise click.UsageError("only a signing key has an algorithm and a passphrase")
    key = begin_private_mark(home.private_mark_path)
    click.echo(f"made the private mark key {key.key_id}, epoch {key.epoch}; keep a copy, never hand it out")


@command.command("renew")
@click.option(
    "--passphrase/--plain",
    default=None,
    help="Protect the new signing key, or not. As the old one if left out.",
)
@PASSPHRASE_FROM
@click.option(
    "--development", is_flag=True, help="A development identity in the place of one from an authority."
)
@click.option("--locator", is_flag=True, help="The key of the watermark instead: a new epoch.")
@click.option("--private-mark", is_flag=True, help="The key of the private layer instead: a new epoch.")
def renew(passphrase: bool | None, development: bool, locator: bool, private_mark: bool) -> None:
    """Make a new development identity, or a new epoch of a key of the mark.

    An identity from an authority is renewed there: guard keys csr, then guard keys import.

    Files signed with the old identity stay verifiable until its certificate expires, and marks of earlier
    epochs are still found. Where the old signing key is protected, its passphrase is needed: a slip of the
    keys would otherwise become the new one.
    """
    if locator or private_mark:
        if passphrase is not None or development or (locator and private_mark):
            raise click.UsageError("one key at a time; only the signing key has a passphrase")
        _new_epoch(of_locator=locator)
        return
    from guard.clock import utc_now  # noqa: PLC0415
    from guard.home import Home  # noqa: PLC0415
    from guard.setup import new_identity  # noqa: PLC0415
    from provenance.manifest.key_files import require_passphrase  # noqa: PLC0415

    home = Home.locate().require()
    _refuse_elsewhere(home)
    if not development:
        _refuse_issued(home)
    protected = home.is_protected()
    if protected:
        require_passphrase(home.signing_folder / "key.pem", existing_passphrase)
    protect = protected if passphrase is None else passphrase
    secret = new_passphrase() if protect else None
    new_identity(home, now=utc_now(), random=secrets.token_bytes, passphrase=secret)
    how = "protected by a passphrase" if protect else "without a passphrase"
    click.echo(f"made a new development identity, {how}; the earlier one is kept beside it")


def _refuse_elsewhere(home: Home) -> None:
    """A new key in a file would not be the one that the settings name."""
    from provenance.errors import ConfigurationError  # noqa: PLC0415

    home.require_own_keys()  # what helps there is another: the signer renews it
    kind = home.config().signer.kind
    if kind != "file":
        raise ConfigurationError(
            "identity.elsewhere",
            f'the settings say that the signing key is not in a file here (kind = "{kind}")',
            where=str(home.config_path),
            hint="take [signer] out of it first, or ask for the next certificate: guard keys csr",
        )


def _refuse_issued(home: Home) -> None:
    """A development identity is no renewal of one that an authority vouches for."""
    from provenance.errors import ConfigurationError  # noqa: PLC0415
    from provenance.manifest.identity import is_development  # noqa: PLC0415
    from provenance.manifest.signers import leaf_of  # noqa: PLC0415

    path = home.signing_folder / "chain.pem"
    try:
        leaf = leaf_of(path.read_bytes())
    except (OSError, ConfigurationError):  # nothing readable to protect
        return
    if not is_development(leaf):
        raise ConfigurationError(
            "identity.issued",
            "the identity in force was issued by an authority, which alone can renew it",
            hint="guard keys csr asks for the next certificate; guard keys renew --development gives it up",
        )


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
    home.require_own_keys()
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
    from provenance.key_handing import export_locator as export_to  # noqa: PLC0415

    ring = Home.locate().require().locators()
    key = next((one for one in ring if epoch in (None, one.epoch)), None)
    if key is None:
        known = ", ".join(str(one.epoch) for one in ring)
        raise click.BadParameter(f"there is no epoch {epoch} here, only {known}", param_hint="--epoch")
    check_writable_folder(file.parent)
    export_to(key, file)
    click.echo(f"wrote {plain(str(file))}")
