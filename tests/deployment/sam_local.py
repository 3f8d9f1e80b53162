"""Print what `sam local` makes of template.yaml: the functions' variables and the API's routes.

.venv-sam/bin/python tests/deployment/sam_local.py template.yaml variables.json MasterKeyDigest=...

It runs in SAM's environment and asks what `sam local start-api` asks, short of the containers.
"""

import json
import sys
from pathlib import Path

from samcli.commands.local.lib.local_lambda import LocalLambdaRunner
from samcli.lib.providers.api_provider import ApiProvider
from samcli.lib.providers.sam_function_provider import SamFunctionProvider
from samcli.lib.providers.sam_stack_provider import SamLocalStackProvider

template, variables, *parameters = sys.argv[1:]
stacks, _ = SamLocalStackProvider.get_stacks(
    template, parameter_overrides=dict(it.split("=", 1) for it in parameters)
)
functions = SamFunctionProvider(stacks)
runner = LocalLambdaRunner(
    local_runtime=None,
    function_provider=functions,
    cwd=".",
    real_path=None,
    env_vars_values=json.loads(Path(variables).read_text()),
)
json.dump(
    {
        "variables": {it.name: runner._make_env_vars(it).resolve() for it in functions.get_all()},
        "routes": {
            f"{method} {route.path}": route.function_name
            for route in ApiProvider(stacks, cwd=".").api.routes
            for method in route.methods
        },
    },
    sys.stdout,
)
