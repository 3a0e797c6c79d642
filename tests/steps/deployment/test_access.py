"""How a service that the deployer started is reached."""

from types import SimpleNamespace

from steps.deployment.access import Access, access_to


def service(**environment):
    config = SimpleNamespace(environment={f"SENTIMENT_{k}".upper(): v for k, v in environment.items()})
    return SimpleNamespace(http_address="http://127.0.0.1:1", grpc_address="127.0.0.1:2", config=config)


def test_an_open_service_needs_no_token():
    for environment in ({}, {"tokens_file": ""}):
        assert access_to(service(**environment)) == Access("http://127.0.0.1:1", "127.0.0.1:2", None)


def test_a_guarded_service_is_called_with_a_token_of_its_file(tmp_path):
    (tmp_path / "tokens").write_text("\nfirst\nsecond\n")
    access = access_to(service(tokens_file=str(tmp_path / "tokens")))
    assert access.token == "first"
    assert access.metadata == (("authorization", "Bearer first"),)
    with access.raw_http() as http:
        assert http.headers["authorization"] == "Bearer first"
