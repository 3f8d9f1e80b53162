"""`bursar completion`: what a shell needs to complete commands and options."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from bursar.cli.failures import Failed

_PROGRAM = "bursar"
_VARIABLE = "_BURSAR_COMPLETE"


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print what lets a shell complete commands and options.

    \b
    bash   echo 'eval "$(bursar completion bash)"' >> ~/.bashrc
    zsh    echo 'eval "$(bursar completion zsh)"' >> ~/.zshrc
    fish   bursar completion fish > ~/.config/fish/completions/bursar.fish
    """  # noqa: D301 (click's own mark)
    known = get_completion_class(shell)
    if known is None:
        raise Failed(f"There is no completion for {shell}")
    click.echo(known(context.find_root().command, {}, _PROGRAM, _VARIABLE).source())
