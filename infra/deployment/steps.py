"""The steps of a deployment, in their order."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from infra.deployment import kept
from infra.deployment.gateway import Gateway, curl_line
from infra.deployment.prices import first_model, starter_prices
from infra.deployment.sam import build_command, configured, deploy_command, parameters_of

if TYPE_CHECKING:
    from infra.deployment.kept import Kept


class Account(Protocol):
    @property
    def region(self) -> str: ...

    def outputs(self, stack: str) -> Mapping[str, str] | None: ...

    def keep_provider_key(self, path: str, provider: str, api_key: str) -> None: ...


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the administrator asked for.

    Attributes:
        environment: a section of samconfig.toml.
        stack: its name, if it is not the section's.
        provider: whose key to keep in the stack's parameters; None offers the mock to a new stack.
        provider_key: that key.
        parameters: of the template, beside the section's.
        rotates: whether to make a new master key for a stack that has one.
    """

    environment: str
    stack: str | None = None
    provider: str | None = None
    provider_key: str | None = field(default=None, repr=False)
    parameters: Mapping[str, str] = field(default_factory=dict)
    rotates: bool = False


@dataclass(frozen=True, slots=True)
class Deployment:
    """Deploys a stack, or upgrades it, and tries it.

    Attributes:
        root: the project's folder.
        run: runs a command and raises if that fails.
        say: tells the administrator a line.
        sam: SAM's command.
    """

    root: Path
    account: Account
    run: Callable[[Sequence[str]], None]
    say: Callable[[str], None]
    sam: str = "sam"

    def carry_out(self, wanted: Wanted) -> None:
        """Build, deploy, keep the provider key, issue a first virtual key and say how to use it.

        Raises:
            ValueError: something that was given cannot be right.
        """
        config = configured(self.root / "samconfig.toml", wanted.environment)
        stack = wanted.stack or str(config["stack_name"])
        is_new = self.account.outputs(stack) is None
        prices = self._prices(wanted.provider, is_new=is_new)
        file = self.root / ".bursar" / f"{stack}.json"
        known = self._with_master_key(file, is_new=is_new, rotates=wanted.rotates)
        more = dict(wanted.parameters)
        if is_new or wanted.rotates:
            more["MasterKeyDigest"] = kept.digest_of(known.master_key or "")
        if is_new and wanted.provider is None:
            more.setdefault("MockProvider", "true")
        self.run(build_command(self.sam, wanted.environment))
        self.run(
            deploy_command(
                self.sam,
                environment=wanted.environment,
                stack=stack,
                region=self.account.region,
                parameters=parameters_of(config, more),
            )
        )
        outputs = self._outputs(stack)
        if wanted.provider is not None and wanted.provider_key is not None:
            path = outputs["ProviderKeysPath"]
            self.account.keep_provider_key(path, wanted.provider, wanted.provider_key)
        if (known.model is None and is_new) or wanted.provider is not None:
            file_of_models = self.root / "functions/server/first_models.json"
            known = replace(known, model=first_model(file_of_models, wanted.provider))
        self._try(outputs, file, known, prices)

    def _prices(self, provider: str | None, *, is_new: bool) -> list[dict[str, Any]]:
        """What the catalogue does not price: the mock, in a new stack without a provider."""
        return starter_prices(provider) if is_new else []

    def _with_master_key(self, file: Path, *, is_new: bool, rotates: bool) -> Kept:
        """What is kept of the stack, written before anything is deployed with it."""
        known = kept.load(file)
        if rotates or (is_new and known.master_key is None):
            if known.master_key is not None:
                kept.save(file.with_suffix(".previous.json"), known)
            known = replace(known, master_key=kept.new_master_key())
            kept.save(file, known)
            self.say(f"A new master key is in {file}")
        return known

    def _outputs(self, stack: str) -> Mapping[str, str]:
        outputs = self.account.outputs(stack)
        if outputs is None or "ApiUrl" not in outputs:
            raise ValueError(f"There is no stack {stack} with a gateway in {self.account.region}")
        return outputs

    def _try(
        self, outputs: Mapping[str, str], file: Path, known: Kept, prices: list[dict[str, Any]]
    ) -> None:
        url = outputs["ApiUrl"]
        self.say(f"Gateway      {url}")
        self.say(f"Dashboard    {outputs.get('DashboardUrl', 'none')}")
        if known.master_key is None:
            self.say(f"Its master key is not in {file}, so nothing was tried.")
            return
        self.say(f"Master key   in {file}; keep a copy where you keep such things")
        gateway = Gateway(url, known.master_key)
        gateway.wait_until_healthy()
        gateway.add_prices(prices)
        virtual_key = known.virtual_key or gateway.first_key()
        kept.save(file, replace(known, virtual_key=virtual_key))
        if known.model is None:
            self.say("GET /v1/models lists what it serves; POST /v1/pricing prices other models")
        else:
            self.say(f"Try it:\n\n{curl_line(url, virtual_key, known.model)}\n")
