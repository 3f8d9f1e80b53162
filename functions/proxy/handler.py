"""The data plane as a Lambda function: everything is built once, while the function starts."""

from __future__ import annotations

import os

from mangum import Mangum

from bursar import bootstrap
from bursar.settings import load_settings
from bursar.store.connect import connect
from bursar.upstream.httpcore2_client import Httpcore2Upstream
from functions.proxy.app import create_app

_settings = load_settings(os.environ)
_services = bootstrap.proxy_services(
    _settings,
    bootstrap.connect(connect(os.environ), _settings.table),
    bootstrap.providers(_settings, os.environ, Httpcore2Upstream()),
)

handler = Mangum(create_app(_services, _settings.cors_allow_origins), lifespan="off")
