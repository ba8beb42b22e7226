"""`verstel --help` lists the subcommands without running their files."""

from __future__ import annotations

import subprocess
import sys

import click
from click.testing import CliRunner

from smartapp.cli import main


def test_the_help_says_of_each_subcommand_what_it_says_itself() -> None:
    context = click.Context(main)
    listed = " ".join(CliRunner().invoke(main, ["--help"], terminal_width=400).output.split())
    for name in main.list_commands(context):
        command = main.get_command(context, name)
        assert command is not None
        assert f"{name} {command.get_short_help_str(400)}" in listed


def test_the_help_imports_no_subcommand() -> None:
    look = "import sys; from smartapp.cli import main; main(['--help'], standalone_mode=False); print(*sys.modules)"
    modules = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, check=True).stdout.split()
    assert "smartapp.cli" in modules
    assert not {name for name in modules if name.startswith(("smartapp.commands.", "flask", "sqlalchemy", "pydantic"))}
