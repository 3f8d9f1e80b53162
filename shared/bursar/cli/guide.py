"""`bursar init`: from nothing to a first answer."""

from __future__ import annotations

import getpass
from typing import TYPE_CHECKING, Any, Final

import click

from bursar.cli.failures import CONFLICT, Failed
from bursar.cli.guide_access import Access, ensure_access
from bursar.cli.guide_models import check_price, choose_model
from bursar.cli.guide_places import Wishes, find_gateway
from bursar.cli.guide_providers import ensure_provider
from bursar.cli.guide_trial import try_model
from bursar.cli.keeping import remember
from bursar.cli.options import displays
from bursar.cli.output import Column, as_usd
from bursar.cli.values import AMOUNT

if TYPE_CHECKING:
    from bursar.cli.asking import Answer
    from bursar.cli.guide_places import Found
    from bursar.cli.output import Output

COLUMNS: Final = (
    Column("url", "URL"),
    Column("profile", "PROFILE"),
    Column("user_id", "USER"),
    Column("key_id", "KEY ID"),
    Column("key", "KEY"),
    Column("model", "MODEL"),
    Column("answer", "ANSWER"),
    Column("cost", "COST", as_usd),
)


@click.command()
@click.option("--local", "is_local", is_flag=True, help="On this machine; started if need be.")
@click.option("--url", help="A gateway that is there already.  [env: BURSAR_URL]")
@click.option("--stack", help="A deployed stack, asked with your own AWS identity.")
@click.option("--region", help="The stack's region.")
@click.option("--aws-profile", help="The profile of your AWS configuration to ask it with.")
@click.option("--profile", help="What to call it from now on.")
@click.option("--provider", help="A provider whose key is entered, from <PROVIDER>_API_KEY.")
@click.option("--user", help="The first user.  [default: your name on this machine]")
@click.option(
    "--budget", type=AMOUNT, default="5", show_default=True, help="US dollars that they may spend."
)
@click.option(
    "--period",
    type=click.Choice(["day", "week", "month"]),
    default="month",
    show_default=True,
    help="In which time.",
)
@click.option("--model", help="What to try.  [default: a cheap one of a provider with a key]")
@click.option("--try/--no-try", "is_tried", default=True, help="Whether to ask it something.")
@click.option("--plain-http", is_flag=True, help="Send the key unencrypted to another machine.")
@click.option("--yes", is_flag=True, help="Ask nothing: take the options and their defaults.")
@displays
def init(output: Output, /, **options: Any) -> None:
    """Lead from nothing to a first answer.

    It finds or starts a gateway, enters a provider's key, makes a user with a budget and a key, and
    asks a model something. What is there already stays as it is, so it can be run again. It says
    what it does; the virtual key is printed when it is made, this once, and kept for `bursar chat`.

    \b
    Example: bursar init
             bursar init --local --yes
             bursar init --stack bursar-prod --region eu-central-1 --provider openai --yes
    """  # noqa: D301 (click's own mark, as in every example of two lines)
    wishes = Wishes(
        **{name: options[name] for name in ("is_local", "url", "stack", "region", "aws_profile")},
        **{name: options[name] for name in ("profile", "provider", "plain_http", "yes")},
    )
    found = find_gateway(output, wishes)
    providers = ensure_provider(output, found, wishes)
    model = choose_model(found, providers, options["model"])
    price = None if model is None else check_price(found, model)
    output.say(_about_model(model, price))
    user = options["user"] or found.profile.user or getpass.getuser()
    access = ensure_access(output, found, user, options["budget"], options["period"])
    remember(found.profile_name, user=user, model=model)
    answer, refused = (
        try_model(output, found.url, access.key, model)
        if options["is_tried"] and model is not None and price is not None
        else (None, None)
    )
    _show(output, found, access, model, answer)
    if refused is not None:
        raise refused
    if model is None or price is None:
        raise Failed(_about_model(model, price), CONFLICT)


def _about_model(model: str | None, price: str | None) -> str:
    if model is None:
        return (
            "No provider here has a model with a price: give one a key, or "
            "bursar prices set MODEL --in USD --out USD, then run bursar init again"
        )
    if price is None:
        return (
            f"{model} has no price, so it is not served: bursar prices set {model} --in USD "
            "--out USD, then run bursar init again"
        )
    return f"Model      {model}, {price}"


def _show(
    output: Output, found: Found, access: Access, model: str | None, answer: Answer | None
) -> None:
    record = {
        "url": found.url,
        "profile": found.profile_name,
        "user_id": access.user_id,
        "key_id": access.key_id,
        "key": access.key if access.is_new else None,
        "model": model,
        "answer": None if answer is None else answer.text,
        "cost": None if answer is None else answer.cost_usd,
    }
    if output.kind != "table":
        output.record(record, COLUMNS)
        return
    if access.is_new:
        output.say("\nThe virtual key, this once:\n")
        click.echo(f"export BURSAR_API_KEY={access.key}")
    output.say("\nFor OpenAI's and Anthropic's SDKs:\n")
    key = 'os.environ["BURSAR_API_KEY"]'
    click.echo(f'openai.OpenAI(base_url="{found.url}/v1", api_key={key})')
    click.echo(f'anthropic.Anthropic(base_url="{found.url}", auth_token={key})')
    output.say("\nNext: bursar status, bursar chat, bursar keys create, bursar --help")
