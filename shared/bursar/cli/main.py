"""The command's entry; what a subcommand needs is imported when it is called."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

import click

from bursar.cli.endings import end_by, until_nobody_reads

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

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
    "audit": Lazy("audit", "audit", "Who changed what, and who was not allowed to."),
    "budgets": Lazy("budgets", "budgets", "Budgets: limits, periods, and who shares them."),
    "chat": Lazy("chat", "chat", "Try a model: its answer as it comes, and then what it cost."),
    "completion": Lazy(
        "completion", "completion", "Print what lets a shell complete commands and options."
    ),
    "doctor": Lazy("doctor.command", "doctor", "Prove on the live gateway what it promises."),
    "import": Lazy("moving.command", "import_", "Move here from another gateway; keys go on."),
    "init": Lazy(
        "guide",
        "init",
        "Lead from nothing to a first answer.",
    ),
    "keys": Lazy("keys", "keys", "Virtual keys: what applications present."),
    "login": Lazy("signing_in", "login", "Keep a gateway's address and its master key."),
    "logout": Lazy("signing_in", "logout", "Forget a profile's secrets; its address stays."),
    "logs": Lazy("logs", "logs", "The logs of a deployed stack's functions."),
    "models": Lazy("models", "models", "Models: what callers may use, and at which rates."),
    "prices": Lazy("prices", "prices", "Prices of models; one without a price is not served."),
    "profiles": Lazy(
        "profile_commands",
        "profiles",
        "Gateways by name, and which of them is meant where none is named.",
    ),
    "project": Lazy("projects", "project", _PROJECTS, is_hidden=True),
    "projects": Lazy("projects", "project", _PROJECTS),
    "providers": Lazy("providers", "providers", "Providers: what the gateway can reach, and how."),
    "status": Lazy("status", "status", "Show a gateway at a glance: health, spending, errors."),
    "usage": Lazy("usage", "usage", "The books, one record a request: lists, sums, files."),
    "users": Lazy("users", "users", "Users: whom spending is accounted to."),
    "vault": Lazy("vaults", "vault", "A project's provider keys, which only its users can open."),
    "whoami": Lazy("signing_in", "whoami", "Tell which gateway is asked, and as whom."),
}


class LazyGroup(click.Group):
    """A group whose subcommands are imported one by one."""

    def main(self, args: Sequence[str] | None = None, *rest: Any, **extra: Any) -> Any:
        """Run, and end the process; see `end_by`."""
        words = sys.argv[1:] if args is None else list(args)
        extra["standalone_mode"] = False
        end_by(lambda: super(LazyGroup, self).main(words, *rest, **extra), words)

    def invoke(self, ctx: click.Context) -> Any:
        with until_nobody_reads():
            return super().invoke(ctx)

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
            from difflib import get_close_matches  # noqa: PLC0415 (only a slip needs it)

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
@click.version_option(package_name="bursar", prog_name="bursar")
def main() -> None:
    """Administer a Bursar gateway: keys, budgets, prices, books and vaults.

    Vault keys are made, sealed and opened on this machine; the gateway never sees them. Secrets
    are asked for, or taken from BURSAR_MASTER_KEY, BURSAR_PASSWORD, BURSAR_RECOVERY_KEY and
    ANY_LLM_KEY. What a command makes is on standard output, everything else on standard error.
    """
