"""The command's entry; what a subcommand needs is imported when it is called."""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import version

import click

_COMMANDS = {
    "account": ("bursar.cli.accounts", "account"),
    "keys": ("bursar.cli.keys", "keys"),
    "project": ("bursar.cli.projects", "project"),
    "vault": ("bursar.cli.vaults", "vault"),
}


class _LazyGroup(click.Group):
    """A group whose subcommands are imported one by one."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        module, name = _COMMANDS[cmd_name]
        command: click.Command = getattr(import_module(module), name)
        return command


@click.command(cls=_LazyGroup)
@click.version_option(version("bursar"), prog_name="bursar")
def main() -> None:
    """Administer a Bursar gateway's accounts, projects and vaults.

    Keys are made, sealed and opened on this machine; the gateway never sees them. Secrets are
    asked for, or taken from BURSAR_MASTER_KEY, BURSAR_PASSWORD, BURSAR_RECOVERY_KEY and
    ANY_LLM_KEY. What a command makes is on standard output, everything else on standard error.
    """
