"""Access to a service that the deployer started."""

from types import SimpleNamespace

import pytest

from serving.rollouts.access import Access, access_to
from stacks.addresses import Address, certificate_name
from tests.helpers.certificates import certificate


def service(**environment):
    config = SimpleNamespace(environment={f"SENTIMENT_{k}".upper(): v for k, v in environment.items()})
    address = Address("127.0.0.1", 1, 2)
    return SimpleNamespace(http_address=address.http, grpc_address=address.grpc, address=address, config=config)


def test_an_open_service_needs_no_token():
    for environment in ({}, {"tokens_file": ""}):
        assert access_to(service(**environment)) == Access("http://127.0.0.1:1", "127.0.0.1:2", proxied=False)


def test_a_guarded_service_is_called_with_a_token_of_its_file(tmp_path):
    (tmp_path / "tokens").write_text("\nfirst\nsecond\n")
    access = access_to(service(tokens_file=str(tmp_path / "tokens")))
    assert access.token == "first"
    assert access.metadata == (("authorization", "Bearer first"),)
    with access.raw_http() as http:
        assert http.headers["authorization"] == "Bearer first"


def test_nothing_of_it_goes_through_a_proxy(monkeypatch):
    for name in ("http_proxy", "https_proxy", "all_proxy", "grpc_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    access = access_to(service())
    with access.raw_http() as http, access.http_client() as client:
        assert not http._mounts
        assert not client._http._mounts
    with Access("http://127.0.0.1:1", "127.0.0.1:2").raw_http() as http:  # an address that a user gives may be far away
        assert http._mounts


@pytest.mark.parametrize(
    ("name", "known"), [("api.example.com", "api.example.com"), ("*.example.com", "any.example.com")]
)
def test_the_name_in_a_certificate(tmp_path, name, known):
    path, _ = certificate(tmp_path, name, trusted=False)
    assert certificate_name(path) == known
