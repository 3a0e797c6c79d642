"""The table of routes: everything else that lists routes derives from it."""

import re

import pytest
from fastapi.routing import APIRoute

from bento import routes
from bento.grpc_server import GrpcServer
from bento.http import create_app
from bento.routes import GRPC_ROUTES, HTTP_ROUTES, Route
from serving import nginx


def test_every_route_of_the_application_is_in_the_table_and_the_other_way_round():
    paths = {route.path for route in create_app()._app.routes if isinstance(route, APIRoute)}
    assert paths | {"/docs", "/openapi.json"} == set(HTTP_ROUTES)


def test_every_grpc_method_is_in_the_table_and_the_other_way_round():
    from bentoml.grpc.v1._generated_pb4 import service_pb2

    server = GrpcServer.__new__(GrpcServer)
    server._bento = service_pb2
    assert set(server.handlers()) == set(GRPC_ROUTES)


@pytest.mark.parametrize(("canary", "predicts"), [(True, True), (True, False), (False, False)])
def test_a_new_route_takes_part_in_canaries_as_its_row_says(canary, predicts, monkeypatch):
    monkeypatch.setitem(routes.HTTP_ROUTES, "/v2/rank", Route(canary=canary, predicts=predicts))
    rules = [line.split('"')[1][1:] for line in nginx._canary_rules().splitlines()]
    for path in ("/v2/rank", "/v2/rank?top=3"):
        assert any(re.search(rule, path) for rule in rules) == canary
    assert not any(re.search(rule, "/v2/rankings") for rule in rules)
    assert ("/v2/rank" in routes.compared_methods()) == predicts


def test_only_predictions_and_their_feedback_go_to_a_canary():
    rules = [line.split('"')[1][1:] for line in nginx._canary_rules().splitlines()]
    for path in ("/v1/predict", "/v1/explain", "/invocations", "/sentiment.v1.Sentiment/PredictStream"):
        assert any(re.search(rule, path) for rule in rules), path
    for path in ("/v1/info", "/metrics", "/readyz", "/sentiment.v1.Sentiment/Info", "/sentimentXv1.Sentiment/Predict"):
        assert not any(re.search(rule, path) for rule in rules), path
