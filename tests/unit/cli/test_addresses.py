import pytest

from bursar.cli.addresses import check_is_private, is_local, name_for, read_address
from bursar.cli.failures import Failed


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("gateway.example.com", "https://gateway.example.com"),
        ("https://gateway.example.com/", "https://gateway.example.com"),
        ("https://x.execute-api.eu-central-1.amazonaws.com/prod/v1", None),
        ("localhost:8000", "http://localhost:8000"),
        ("127.0.0.1:8000/v1/", "http://127.0.0.1:8000"),
        ("http://[::1]:8000", "http://[::1]:8000"),
        ("HTTP://localhost:8000", "http://localhost:8000"),
    ],
)
def test_an_address_is_read_as_people_write_it(written: str, meant: str | None) -> None:
    assert read_address(written) == (meant or written.removesuffix("/v1"))


@pytest.mark.parametrize(
    "written",
    [
        *("", "ftp://gateway", "https://", "https://a:b@gateway/", "https://@gateway"),
        *("https://gateway:port", "https://gateway:99999", "https://[::1", "https://a b"),
        *("https://gateway/\x1b[2J", "https://gateway/é", "https://gateway#there"),
    ],
)
def test_what_is_no_address_is_refused(written: str) -> None:
    with pytest.raises(Failed, match=r"https://gateway\.example\.com"):
        read_address(written)


@pytest.mark.parametrize(
    ("url", "is_here"),
    [
        ("http://127.8.0.1", True),
        ("http://[::1]:1", True),
        ("http://localhost", True),
        ("http://localhost.example.com", False),
        ("http://10.0.0.1", False),
    ],
)
def test_this_machine_is_known(url: str, is_here: bool) -> None:  # noqa: FBT001
    assert is_local(url) is is_here


def test_a_secret_crosses_a_network_encrypted_or_by_consent() -> None:
    check_is_private("https://gateway.example.com", may_be_plain=False)
    check_is_private("http://localhost:8000", may_be_plain=False)
    check_is_private("http://10.0.0.1", may_be_plain=True)
    with pytest.raises(Failed, match=r"use https://10\.0\.0\.1"):
        check_is_private("HTTP://10.0.0.1", may_be_plain=False)
    with pytest.raises(
        Failed, match=r"https://10\.0\.0\.1.*bursar login http://10\.0\.0\.1 --plain-http"
    ):
        check_is_private("http://10.0.0.1", may_be_plain=False)


def test_a_profile_is_called_by_its_host() -> None:
    assert name_for("http://127.0.0.1:8765") == "local"
    assert name_for("https://gateway.example.com:8443/prod") == "gateway.example.com"
