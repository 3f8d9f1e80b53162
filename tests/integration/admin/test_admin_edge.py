"""What holds for every route: credentials, headers, failures and health."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest

from bursar.domain.budgets import Budget
from bursar.domain.errors import StoreUnavailable
from bursar.memory import MemoryDirectory
from bursar.memory.collection import MemoryCollection
from bursar.services.master_key import MasterKey
from functions.admin.app import create_app
from functions.admin.settings import AdminSettings
from tests.fakes.office import MASTER_KEY, Office
from tests.integration.admin.conftest import client_of

if TYPE_CHECKING:
    import httpx2

SECURITY_HEADERS = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "strict-origin-when-cross-origin",
}
MANAGED = [
    ("POST", "/v1/keys"),
    ("GET", "/v1/keys"),
    ("GET", "/v1/keys/x"),
    ("PATCH", "/v1/keys/x"),
    ("DELETE", "/v1/keys/x"),
    ("POST", "/v1/keys/x/rotate"),
    ("POST", "/v1/users"),
    ("GET", "/v1/users"),
    ("GET", "/v1/users/x"),
    ("PATCH", "/v1/users/x"),
    ("DELETE", "/v1/users/x"),
    ("GET", "/v1/users/x/usage"),
    ("POST", "/v1/budgets"),
    ("GET", "/v1/budgets"),
    ("GET", "/v1/budgets/x"),
    ("PATCH", "/v1/budgets/x"),
    ("DELETE", "/v1/budgets/x"),
    ("GET", "/v1/budgets/x/resets"),
    ("POST", "/v1/pricing"),
    ("DELETE", "/v1/pricing/x"),
    ("POST", "/v1/aliases"),
    ("GET", "/v1/aliases"),
    ("GET", "/v1/aliases/x"),
    ("PATCH", "/v1/aliases/x"),
    ("DELETE", "/v1/aliases/x"),
    ("GET", "/v1/providers"),
    ("GET", "/v1/providers/x"),
    ("GET", "/v1/providers/x/models"),
    ("GET", "/v1/usage"),
    ("GET", "/v1/audit"),
    ("GET", "/v1/settings"),
]


@pytest.fixture
def office() -> Office:
    """No test here depends on the store."""
    return Office()


async def detail(answer: httpx2.Response) -> object:
    return answer.json()["detail"]


@pytest.mark.parametrize(("method", "path"), MANAGED)
async def test_management_needs_the_master_key(
    anybody: httpx2.AsyncClient, office: Office, method: str, path: str
) -> None:
    missing = await anybody.request(method, path, json={})
    assert missing.status_code == 401
    assert missing.json() == {
        "detail": "Missing X-AnyLLM-Key or Authorization header",
        "error": {
            "message": "Missing X-AnyLLM-Key or Authorization header",
            "type": "authentication_error",
            "param": None,
            "code": "invalid_api_key",
        },
    }
    wrong = await anybody.request(method, path, headers={"x-api-key": "gw-" + "a" * 64}, json={})
    assert (wrong.status_code, await detail(wrong)) == (401, "Invalid master key")


async def test_every_documented_route_is_covered_by_the_test_above(
    anybody: httpx2.AsyncClient,
) -> None:
    document = (await anybody.get("/openapi.json")).json()
    secured = {
        (method.upper(), path.split("/{")[0] + path[path.find("}") + 1 :] * ("}" in path))
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
        # What the platform's routes ask for, tests/integration/platform says.
        if operation.get("security") and not path.startswith(("/api/v1/", "/v1/traces"))
    }
    covered = {(method, path.replace("/x", "")) for method, path in MANAGED}
    assert secured == covered


@pytest.mark.parametrize("name", ["X-AnyLLM-Key", "AnyLLM-Key", "Otari-Key", "Authorization"])
async def test_the_master_key_is_taken_from_every_header(
    anybody: httpx2.AsyncClient, name: str
) -> None:
    answer = await anybody.get("/v1/keys", headers={name: f"Bearer {MASTER_KEY}"})
    assert answer.status_code == 200
    bare = await anybody.get("/v1/keys", headers={name: MASTER_KEY, "x-api-key": MASTER_KEY})
    assert bare.status_code == 401
    assert await detail(bare) == "Invalid header format. Expected 'Bearer <token>'"


async def test_x_api_key_holds_the_master_key_alone(anybody: httpx2.AsyncClient) -> None:
    answer = await anybody.get("/v1/keys", headers={"x-api-key": MASTER_KEY})
    assert answer.status_code == 200


async def test_without_a_master_key_nothing_can_be_managed() -> None:
    office = Office(master_key=MasterKey(None))
    app = create_app(office.services, office.platform)
    async with client_of(app) as client:
        answer = await client.get("/v1/keys", headers={"x-api-key": "anything"})
    assert answer.status_code == 503
    assert await detail(answer) == (
        "Master key not configured. Set BURSAR_MASTER_KEY environment variable."
    )


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 200),
        ("GET", "/docs", 200),
        ("GET", "/openapi.json", 200),
        ("GET", "/v1/pricing", 200),
        ("GET", "/v1/pricing/", 404),
        ("GET", "/v1/keys", 401),
        ("GET", "/nowhere", 404),
        ("PUT", "/v1/keys", 405),
        ("OPTIONS", "/v1/keys", 405),
    ],
)
async def test_every_answer_has_the_headers(
    anybody: httpx2.AsyncClient, method: str, path: str, status: int
) -> None:
    answer = await anybody.request(method, path)
    assert answer.status_code == status
    assert SECURITY_HEADERS.items() <= dict(answer.headers).items()
    assert answer.headers["cache-control"] == "private, no-store, no-cache"
    assert answer.headers["vary"] == "Authorization"
    assert answer.headers["x-request-id"]


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("/v1/keys", "GET, POST"),
        ("/v1/users/x", "DELETE, GET, PATCH"),
        ("/v1/users/x/usage", "GET"),
        ("/v1/users/usage", "DELETE, GET, PATCH"),
    ],
)
async def test_a_wrong_method_is_told_the_right_ones(
    anybody: httpx2.AsyncClient, path: str, allowed: str
) -> None:
    answer = await anybody.put(path)
    assert answer.status_code == 405
    assert answer.headers.get_list("allow") == [allowed]


async def test_every_request_has_an_id_of_its_own(anybody: httpx2.AsyncClient) -> None:
    ids = {(await anybody.get("/health")).headers["x-request-id"] for _ in range(3)}
    assert len(ids) == 3


@pytest.mark.parametrize("path", ["/health", "/health/liveness", "/health/readiness"])
async def test_health_may_be_cached_and_needs_no_credential(
    anybody: httpx2.AsyncClient, path: str
) -> None:
    answer = await anybody.get(path)
    assert answer.status_code == 200
    assert SECURITY_HEADERS.items() <= dict(answer.headers).items()
    assert "cache-control" not in answer.headers
    assert "vary" not in answer.headers


async def test_health_says_what_probes_expect(anybody: httpx2.AsyncClient) -> None:
    assert (await anybody.get("/health")).json() == {"status": "healthy"}
    assert (await anybody.get("/health/liveness")).text == '"I\'m alive!"'
    assert (await anybody.get("/health/readiness")).json() == {
        "status": "healthy",
        "database": "connected",
        "version": "1.2.3",
    }


class _Broken(MemoryCollection[Budget]):
    """Budgets whose reads fail with an error of one's choice."""

    def __init__(self, error: Exception) -> None:
        super().__init__(Budget, "budget_id")
        self._error = error

    async def get(self, record_id: str) -> Budget | None:
        raise self._error


def broken_office(error: Exception) -> Office:
    directory = MemoryDirectory()
    directory.budgets = _Broken(error)
    return Office(directory=directory)


async def test_without_its_store_the_gateway_is_not_ready() -> None:
    office = broken_office(StoreUnavailable("The store does not answer"))
    async with client_of(
        create_app(office.services, office.platform, AdminSettings(version="1.2.3"))
    ) as client:
        ready = await client.get("/health/readiness")
        alive = await client.get("/health/liveness")
        asked = await client.get("/v1/budgets/x", headers={"x-api-key": MASTER_KEY})
    assert ready.status_code == 503
    assert await detail(ready) == {
        "status": "unhealthy",
        "database": "unavailable",
        "version": "1.2.3",
    }
    assert alive.status_code == 200
    assert (asked.status_code, await detail(asked)) == (503, "The store does not answer")


async def test_an_unforeseen_failure_says_nothing_and_is_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    office = broken_office(ZeroDivisionError("a secret detail"))
    async with client_of(create_app(office.services, office.platform)) as client:
        answer = await client.get("/v1/budgets/x", headers={"x-api-key": MASTER_KEY})
    assert answer.status_code == 500
    assert answer.json() == {
        "detail": "Internal Server Error",
        "error": {
            "message": "Internal Server Error",
            "type": "server_error",
            "param": None,
            "code": "internal_error",
        },
    }
    assert SECURITY_HEADERS.items() <= dict(answer.headers).items()
    (logged,) = [entry for entry in caplog.records if entry.levelno == logging.ERROR]
    assert logged.__dict__["request_id"] == answer.headers["x-request-id"]


@pytest.mark.parametrize("body", [b"{", b"nul", b'{"a": "\\ud800"}', b"\xff", b"[" * 5000])
async def test_what_is_not_json_does_not_validate(admin: httpx2.AsyncClient, body: bytes) -> None:
    answer = await admin.post("/v1/keys", content=body)
    assert answer.status_code == 422
    assert answer.json()["detail"][0]["type"] == "json_invalid"
    assert answer.json()["error"]["code"] == "unprocessable"


async def test_a_body_of_another_kind_is_not_read_as_json(admin: httpx2.AsyncClient) -> None:
    answer = await admin.post("/v1/keys", content=b"\xff{}", headers={"content-type": "text/plain"})
    assert answer.status_code == 422


async def test_a_body_over_a_mebibyte_is_refused(admin: httpx2.AsyncClient) -> None:
    answer = await admin.post("/v1/keys", content=b" " * (1024 * 1024 + 1))
    assert answer.status_code == 413
    assert answer.json()["error"]["message"]
    assert SECURITY_HEADERS.items() <= dict(answer.headers).items()


async def test_the_quickstart_is_a_page_outside_the_document(anybody: httpx2.AsyncClient) -> None:
    page = await anybody.get("/")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "/v1/keys" in page.text
    assert "/" not in (await anybody.get("/openapi.json")).json()["paths"]


@pytest.mark.parametrize(
    ("origins", "origin", "allowed", "credentials"),
    [
        (("https://a.example",), "https://a.example", "https://a.example", "true"),
        (("https://a.example",), "https://b.example", None, "true"),
        (("*",), "https://b.example", "*", None),
    ],
)
async def test_browsers_may_call_from_configured_origins(
    office: Office,
    origins: tuple[str, ...],
    origin: str,
    allowed: str | None,
    credentials: str | None,
) -> None:
    app = create_app(office.services, office.platform, AdminSettings(cors_allow_origins=origins))
    async with client_of(app, origin=origin) as client:
        plain = await client.get("/v1/pricing")
        preflight = await client.options(
            "/v1/keys",
            headers={
                "access-control-request-method": "DELETE",
                "access-control-request-headers": "X-AnyLLM-Key, Content-Type",
            },
        )
    assert plain.headers.get("access-control-allow-origin") == allowed
    assert plain.headers.get("access-control-allow-credentials") == credentials
    assert preflight.status_code == (400 if allowed is None else 200)
    assert SECURITY_HEADERS.items() <= dict(preflight.headers).items()


async def test_without_configured_origins_no_answer_mentions_them(
    anybody: httpx2.AsyncClient,
) -> None:
    answer = await anybody.get("/v1/pricing", headers={"origin": "https://a.example"})
    assert not [name for name in answer.headers if name.startswith("access-control")]


@pytest.mark.parametrize("path", ["/v1/users/", "/v1/budgets/", "/health/"])
async def test_nobody_is_sent_elsewhere_with_the_master_key(
    admin: httpx2.AsyncClient, path: str
) -> None:
    answer = await admin.get(path)
    assert answer.status_code == 404
    assert "location" not in answer.headers
