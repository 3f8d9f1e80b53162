"""Secrets come from the environment, a prompt or standard input.

Never from the command line, which every process of the machine can read.
"""

from __future__ import annotations

import os
import sys

import click

from bursar.cli.failures import Failed


def ask_secret(variable: str, prompt: str, *, confirm: bool = False) -> str:
    """A secret from an environment variable, or from whoever sits in front of a terminal.

    Raises:
        Failed: neither is there.
    """
    given = os.environ.get(variable)
    if given:
        return given
    if not sys.stdin.isatty():
        raise Failed(f"There is no terminal to ask for it: set {variable}", 2)
    secret: str = click.prompt(prompt, hide_input=True, confirmation_prompt=confirm, err=True)
    return secret


def read_secret(prompt: str) -> str:
    """A secret from standard input when that is a pipe, else from a prompt.

    Raises:
        Failed: nothing was given.
    """
    if sys.stdin.isatty():
        secret: str = click.prompt(prompt, hide_input=True, err=True)
    else:
        secret = sys.stdin.read().strip()
    if not secret:
        raise Failed(f"{prompt} is missing: pipe it into this command", 2)
    return secret
