"""The command's entry; what a subcommand needs is imported when it is called."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from importlib import import_module
from importlib.metadata import version
from typing import TYPE_CHECKING, Final

import click

if TYPE_CHECKING:
    from collections.abc import Mapping

    from click.shell_completion import CompletionItem


@dataclass(frozen=True, slots=True)
class Lazy:
    """Where a subcommand is, and what the list of all says about it.

    Attributes:
        module: behind `bursar.cli.`.
        name: in that module.
        help: its own short help, kept here so that listing it imports nothing.
        is_hidden: an older name, which the list leaves out.
    """

    module: str
    name: str
    help: str
    is_hidden: bool = False


_ACCOUNTS: Final = "People who sign in to the platform."
_PROJECTS: Final = "Projects: a vault, clients, budgets, virtual keys and books each."
COMMANDS: Final[Mapping[str, Lazy]] = {
    "account": Lazy("accounts", "account", _ACCOUNTS, is_hidden=True),
    "accounts": Lazy("accounts", "account", _ACCOUNTS),
    "aliases": Lazy("aliases", "aliases", "Names that stand for models: fallback, weights, tiers."),
    "budgets": Lazy("budgets", "budgets", "Budgets: limits, periods, and who shares them."),
    "keys": Lazy("keys", "keys", "Virtual keys: what applications present."),
    "models": Lazy("models", "models", "Models: what callers may use, and at which rates."),
    "prices": Lazy("prices", "prices", "Prices of models; one without a price is not served."),
    "project": Lazy("projects", "project", _PROJECTS, is_hidden=True),
    "projects": Lazy("projects", "project", _PROJECTS),
    "providers": Lazy("providers", "providers", "Providers: what the gateway can reach, and how."),
    "users": Lazy("users", "users", "Users: whom spending is accounted to."),
    "vault": Lazy("vaults", "vault", "A project's provider keys, which only its users can open."),
}


class LazyGroup(click.Group):
    """A group whose subcommands are imported one by one."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(name for name, entry in COMMANDS.items() if not entry.is_hidden)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        entry = COMMANDS.get(cmd_name)
        if entry is None:
            return None
        command: click.Command = getattr(import_module(f"bursar.cli.{entry.module}"), entry.name)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            near = get_close_matches(args[0], self.list_commands(ctx), n=2)
            meant = f"; did you mean {' or '.join(near)}?" if near else ": see bursar --help"
            ctx.fail(f"There is no command {args[0]!r}{meant}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        rows = [(name, COMMANDS[name].help) for name in self.list_commands(ctx)]
        with formatter.section("Commands"):
            formatter.write_dl(rows)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        # The shell's completion is all that needs it.
        from click.shell_completion import CompletionItem  # noqa: PLC0415

        names = [name for name in self.list_commands(ctx) if name.startswith(incomplete)]
        own = [CompletionItem(name, help=COMMANDS[name].help) for name in names]
        return own + click.Command.shell_complete(self, ctx, incomplete)


@click.command(cls=LazyGroup)
@click.version_option(version("bursar"), prog_name="bursar")
def main() -> None:
    """Administer a Bursar gateway: keys, budgets, prices, books and vaults.

    Vault keys are made, sealed and opened on this machine; the gateway never sees them. Secrets
    are asked for, or taken from BURSAR_MASTER_KEY, BURSAR_PASSWORD, BURSAR_RECOVERY_KEY and
    ANY_LLM_KEY. What a command makes is on standard output, everything else on standard error.
    """
