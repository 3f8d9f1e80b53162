"""The control plane as a Lambda function: everything is built once, while the function starts."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

from mangum import Mangum

from bursar import bootstrap
from bursar.settings import load_settings
from bursar.store.connect import connect
from bursar.store.consistent import consistent
from bursar.telemetry.emf import Metrics
from bursar.telemetry.logs import configure_logs
from functions.admin.app import create_app
from functions.admin.direct import event_of
from functions.admin.settings import AdminSettings

if TYPE_CHECKING:
    from mangum.types import LambdaContext

_settings = load_settings(os.environ)
configure_logs(_settings.log_level, sys.stdout)
_metrics = Metrics.of(os.environ)
_storage = bootstrap.connect(consistent(connect(os.environ)), _settings.table)
_answer = Mangum(
    create_app(
        bootstrap.admin_services(_settings, _storage),
        bootstrap.platform_services(_settings, _storage),
        AdminSettings(
            _settings.cors_allow_origins,
            _settings.public_prices,
            describes_data_plane=True,
            deployment=_settings,
        ),
    ),
    lifespan="off",
)


def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer one request, of API Gateway or of a command with an AWS identity."""
    _metrics.invoked(context.aws_request_id)
    answer: dict[str, Any] = _answer(dict(event_of(event)), context)
    return answer
