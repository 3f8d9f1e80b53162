"""The control plane as a Lambda function: everything is built once, while the function starts."""

from __future__ import annotations

import os

from mangum import Mangum

from bursar import bootstrap
from bursar.settings import load_settings
from bursar.store.connect import connect
from bursar.store.consistent import consistent
from functions.admin.app import create_app
from functions.admin.settings import AdminSettings

_settings = load_settings(os.environ)
_storage = bootstrap.connect(consistent(connect(os.environ)), _settings.table)

handler = Mangum(
    create_app(
        bootstrap.admin_services(_settings, _storage),
        AdminSettings(_settings.cors_allow_origins, _settings.public_prices),
    ),
    lifespan="off",
)
