"""The table of routes: every other list of routes derives from it."""

import re

import pytest
from fastapi.routing import APIRoute

from bento import routes
from bento.grpc_server import GrpcServer
from bento.http import create_app
from bento.routes import GRPC_ROUTES, HTTP_ROUTES
from serving.deployer_config import BentoDeployerConfig
from serving.nginx import Backend, Route, render


def test_every_route_of_the_application_is_in_the_table_and_the_other_way_round():
    paths = {route.path for route in create_app()._app.routes if isinstance(route, APIRoute)}
    files = {f"/docs/{name}" for name in ("swagger-ui-bundle.js", "swagger-ui.css", "favicon.png")}
    assert paths | files | {"/openapi.json"} == set(HTTP_ROUTES)


def test_every_grpc_method_is_in_the_table_and_the_other_way_round():
    from bentoml.grpc.v1._generated_pb4 import service_pb2

    server = GrpcServer.__new__(GrpcServer)
    server._bento = service_pb2
    assert set(server.handlers()) == set(GRPC_ROUTES)


def canary_rules(folder):
    """The regular expressions of the paths that nginx shares with a canary."""
    route = Route(Backend("live", "h:1", "h:2"), canary=Backend("canary", "h:3", "h:4"), share=10)
    text = render(folder, BentoDeployerConfig(), route)
    return re.findall(r'^\s*"~(.+)" \$drawn;', text, flags=re.MULTILINE)


@pytest.mark.parametrize(("canary", "predicts"), [(True, True), (True, False), (False, False)])
def test_a_new_route_takes_part_in_canaries_as_its_row_says(canary, predicts, monkeypatch, tmp_path):
    monkeypatch.setitem(routes.HTTP_ROUTES, "/v2/rank", routes.Route(canary=canary, predicts=predicts))
    rules = canary_rules(tmp_path)
    for path in ("/v2/rank", "/v2/rank?top=3"):
        assert any(re.search(rule, path) for rule in rules) == canary
    assert not any(re.search(rule, "/v2/rankings") for rule in rules)
    assert ("/v2/rank" in routes.compared_methods()) == predicts


def test_only_predictions_and_their_feedback_go_to_a_canary(tmp_path):
    rules = canary_rules(tmp_path)
    for path in ("/v1/predict", "/v1/explain", "/invocations", "/sentiment.v1.Sentiment/PredictStream"):
        assert any(re.search(rule, path) for rule in rules), path
    for path in ("/v1/info", "/metrics", "/readyz", "/sentiment.v1.Sentiment/Info", "/sentimentXv1.Sentiment/Predict"):
        assert not any(re.search(rule, path) for rule in rules), path
