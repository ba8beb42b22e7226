"""The command `verstel`: finds its subcommands by looking in `smartapp/commands/` and imports only the one it runs."""

from __future__ import annotations

import ast
import importlib
import pkgutil
from pathlib import Path

import click

from questionnaires.reading import DefinitionError
from smartapp import commands


class CommandFolder(click.Group):
    """A group whose subcommands are the modules of a package, so that a new command is one new file.

    Importing lazily matters: `verstel score` in a pipeline must not pay for Flask and SQLAlchemy.
    """

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """Name all subcommands, without importing any."""
        return sorted(module.name.replace("_", "-") for module in pkgutil.iter_modules(commands.__path__))

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import one subcommand; None for an unknown one, which click then reports."""
        if cmd_name not in self.list_commands(ctx):
            return None
        module = importlib.import_module(f"{commands.__name__}.{cmd_name.replace('-', '_')}")
        command: click.Command = module.command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the subcommands with their first sentences, read from the files: importing all takes half a second."""
        names = self.list_commands(ctx)
        width = formatter.width - 6 - max(map(len, names))
        rows = [(name, click.Command(name, help=_help_of(name)).get_short_help_str(width)) for name in names]
        with formatter.section("Commands"):
            formatter.write_dl(rows)

    def invoke(self, ctx: click.Context) -> object:
        """Run a subcommand; a definition from VERSTEL_DEFINITIONS that can't be read ends each with a message."""
        try:
            return super().invoke(ctx)
        except DefinitionError as error:
            raise click.ClickException(str(error)) from error


def _help_of(name: str) -> str | None:
    """Return what stands below `def command` in the module of a subcommand, without running it."""
    source = Path(commands.__path__[0], f"{name.replace('-', '_')}.py").read_text(encoding="utf-8")
    functions = [node for node in ast.parse(source).body if isinstance(node, ast.FunctionDef)]
    return next((ast.get_docstring(node) for node in functions if node.name == "command"), None)


@click.group(cls=CommandFolder, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="verstel")
def main() -> None:
    """Verstel: recovery questionnaires, scores and a plan the client owns, on FHIR R4.

    Exit code 0: success. 1: some input was refused. 2: wrong usage.
    """
