"""`verstel keys`: keys made, rotated, and everything sealed anew so that an old one can go."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Callable

KINDS = click.Choice(["encryption", "secret", "signing"])


@click.group(epilog="Example:  verstel keys rotate encryption /etc/verstel/encryption-keys")
def command() -> None:
    """Make and rotate keys.

    encryption is for VERSTEL_ENCRYPTION_KEYS, secret for VERSTEL_SECRET_KEY, signing for VERSTEL_SIGNING_KEYS_FILE. The
    first two can be in files too: VERSTEL_ENCRYPTION_KEYS_FILE, VERSTEL_SECRET_KEY_FILE.
    """


@command.command(epilog="Example:  verstel keys new encryption --file /etc/verstel/encryption-keys")
@click.argument("kind", type=KINDS)
@click.option(
    "--file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="A new file, which only its owner can read. Without it: on stdout.",
)
def new(kind: str, file: Path | None) -> None:
    """Make a new key."""
    text = _file_of(kind, [_made(kind)])
    if file is None:
        click.echo(text, nl=False)
        return
    try:
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as made:
            made.write(text)
    except OSError as error:
        raise click.ClickException(
            f"{file} cannot be made: {error.strerror}. To add a key to a file that is there: verstel keys rotate."
        ) from error
    click.echo(f"{file} has a new key. Back it up, apart from the database.", err=True)


@command.command(epilog="Example:  verstel keys rotate encryption /etc/verstel/encryption-keys")
@click.argument("kind", type=KINDS)
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--front", is_flag=True, help="signing: let the last key of the file sign from now on; makes no new one.")
def rotate(kind: str, file: Path, *, front: bool) -> None:
    """Put a new key into a file, beside those that are there; restart Verstel after that.

    An encryption key and a secret go in front, and are used at once. A signing key goes behind, so that the EHRs can
    fetch it; a day later let it sign with --front.
    """
    if front and kind != "signing":
        raise click.UsageError("--front is for signing keys only: others go in front by themselves.")
    keys = _keys_in(kind, file)
    _replace(file, _file_of(kind, keys := _rotated(kind, keys, front=front)))
    click.echo(f"{file} has {len(keys)} keys. Restart Verstel. {_NEXT[kind]}", err=True)


def _rotated(kind: str, keys: list[str], *, front: bool) -> list[str]:
    if front:
        return [keys[-1], *keys[:-1]]
    return [*keys, _made(kind)] if kind == "signing" else [_made(kind), *keys]


_NEXT = {
    "encryption": "Then: verstel keys reencrypt, after which the old keys can go.",
    "secret": "Forms that are open keep working as long as the old key is there: take it out after seven days.",
    "signing": "The EHRs find new keys at /.well-known/jwks.json.",
}


@command.command(epilog="Example:  verstel keys reencrypt")
def reencrypt() -> None:
    """Seal with the first encryption key all that an older one sealed. Can run while people work, and be broken off.

    Exit code 1: some values can't be opened by any of the keys.
    """
    from smartapp.commands.serve import opened_again, settings_from_environment
    from smartapp.storage.reencrypting import Tally, values_in
    from smartapp.storage.reencrypting import reencrypt as blocks

    settings = settings_from_environment()
    engine = opened_again(settings)
    tally, left = Tally(), Tally()
    shown = sys.stderr.isatty()
    with click.progressbar(length=values_in(engine), label="Sealing anew", file=sys.stderr, hidden=not shown) as bar:
        for looked_at in blocks(engine, settings.encryption_keys, tally):
            bar.update(looked_at)
    for _looked_at in blocks(engine, settings.encryption_keys[:1], left):
        pass
    engine.dispose()
    needing = sum(left.unreadable.values())
    click.echo(f"{tally.sealed_anew} sealed anew, {tally.current} were already. {needing} still need an older key.")
    if tally.unreadable:
        where = ", ".join(f"{count} in {table}" for table, count in sorted(tally.unreadable.items()))
        raise click.ClickException(f"None of the keys opens {where}. Put the key that wrote them back into the list.")
    if needing:
        raise click.ClickException(
            "Something still writes with an older key: restart Verstel with the new one in front."
        )


def _made(kind: str) -> str:
    """Return a new key, in the form in which its file has it."""
    makers: dict[str, Callable[[], str]] = {"encryption": _encryption, "secret": _secret, "signing": _signing}
    return makers[kind]()


def _encryption() -> str:
    from cryptography.fernet import Fernet

    return Fernet.generate_key().decode()


def _secret() -> str:
    from smartapp.storage.vault import fresh_secret

    return fresh_secret()


def _signing() -> str:
    import json

    from joserfc.jwk import ECKey

    return json.dumps(ECKey.generate_key("P-384", private=True, auto_kid=True).as_dict(private=True))


def _file_of(kind: str, keys: list[str]) -> str:
    """Return the text of a file with these keys."""
    return f'{{"keys": [{", ".join(keys)}]}}\n' if kind == "signing" else f"{','.join(keys)}\n"


def _keys_in(kind: str, file: Path) -> list[str]:
    """Return the keys of a file, or end the command with the reason why it has none."""
    import json

    from smartapp.settings import ConfigError, encryption_keys_in, read_secret, secret_keys_in
    from smartapp.smart.keys import SigningKeys

    try:
        text = read_secret(file)
        if kind != "signing":
            return list((encryption_keys_in if kind == "encryption" else secret_keys_in)(text))
        SigningKeys.read(file)
    except ConfigError as error:
        raise click.ClickException(str(error)) from error
    except ValueError as error:
        raise click.ClickException(f"{file} is no file of {kind} keys, and stays as it is: {error}.") from error
    return [json.dumps(key) for key in json.loads(text)["keys"]]


def _replace(file: Path, text: str) -> None:
    """Replace a file as a whole or not at all; its owner and its rights stay, and others get none."""
    before = file.stat()
    beside = file.with_name(f".{file.name}.new")
    beside.unlink(missing_ok=True)
    with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as made:
        made.write(text)
        made.flush()
        os.fsync(made.fileno())
    if os.name == "posix" and (before.st_uid, before.st_gid) != (os.geteuid(), os.getegid()):
        os.chown(beside, before.st_uid, before.st_gid)
    beside.chmod(before.st_mode & 0o770)
    beside.replace(file)
