"""The data plane as a Lambda function: everything is built once, while the function starts."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from bursar import bootstrap
from bursar.settings import load_settings
from bursar.store.connect import connect
from bursar.telemetry.emf import Metrics
from bursar.telemetry.logs import configure_logs
from bursar.upstream.httpcore2_client import Httpcore2Upstream
from functions.proxy.app import create_app
from functions.proxy.on_lambda.runtime import lambda_handler

if TYPE_CHECKING:
    from functions.proxy.on_lambda.runtime import Context

_settings = load_settings(os.environ)
configure_logs(_settings.log_level, sys.stdout)
_metrics = Metrics.of(os.environ)
_store = connect(os.environ)
_client = Httpcore2Upstream()
_services = bootstrap.proxy_services(
    _settings,
    bootstrap.connect(_store, _settings.table),
    bootstrap.providers(_settings, os.environ, _client),
    observe=_metrics.observe,
)
_answer = lambda_handler(
    create_app(_services, _settings.cors_allow_origins),
    os.environ,
    connections=(_store.close, _client.close),
)


def handler(event: object, context: Context) -> object:
    """Answer one request of API Gateway or a function URL."""
    _metrics.invoked(context.aws_request_id)
    return _answer(event, context)
