"""The data plane as a Lambda function: everything is built once, while the function starts."""

from __future__ import annotations

import os

from mangum import Mangum

from bursar import bootstrap
from bursar.settings import load_settings
from bursar.store.connect import connect
from bursar.upstream.catalogue import load_catalogue
from bursar.upstream.httpcore2_client import Httpcore2Upstream
from bursar.upstream.targets import resolve_targets
from functions.proxy.app import create_app

_settings = load_settings(os.environ)
_services = bootstrap.proxy_services(
    _settings,
    bootstrap.connect(connect(os.environ), _settings.table),
    Httpcore2Upstream(),
    resolve_targets(_settings.providers, os.environ, load_catalogue()),
)

handler = Mangum(create_app(_services, _settings.cors_allow_origins), lifespan="off")
