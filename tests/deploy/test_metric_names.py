"""Dashboard and alerts query only metrics and labels that the service exports."""

import json
import re

import pytest
import yaml

from tests.helpers.deploy_files import DEPLOY, exported, page

QUOTED = re.compile(r'"[^"]*"')
FUNCTIONS = {
    "sum", "count", "rate", "increase", "histogram_quantile", "absent", "min_over_time", "vector", "label_values",
    "by", "or", "and", "unless", "offset",
}  # fmt: skip
OWN = {"up": {"job", "instance"}}  # Prometheus' own metric
GIVEN = {"job", "instance"}  # labels that Prometheus adds to all metrics


@pytest.fixture(scope="module")
def known(tmp_path_factory):
    return exported(page(tmp_path_factory.mktemp("metrics"))) | OWN


def dashboard():
    return json.loads((DEPLOY / "grafana" / "dashboards" / "sentiment.json").read_text())


def expressions():
    for panel in dashboard()["panels"]:
        yield from ((panel["title"], target["expr"]) for target in panel.get("targets", ()))
    yield from ((a["name"], a["expr"]) for a in dashboard()["annotations"]["list"])
    yield from ((v["name"], v["query"]["query"]) for v in dashboard()["templating"]["list"])
    for group in yaml.safe_load((DEPLOY / "alerts.yml").read_text())["groups"]:
        yield from ((rule["alert"], rule["expr"]) for rule in group["rules"])


def names(expression):
    """Metrics with the labels that a query filters by, and the labels that it groups by."""
    bare = re.sub(r"\[[^\]]*\]|offset \w+", "", QUOTED.sub('""', expression))
    grouped = {label for found in re.findall(r"\bby \(([^)]*)\)", bare) for label in found.split(", ")}
    bare = re.sub(r"\bby \([^)]*\)|label_values\((\w+), \w+\)", r"\1", bare)
    asked = {}
    for name, labels in re.findall(r"([a-zA-Z_]\w*)(?:\{([^}]*)\})?", bare):
        if name not in FUNCTIONS:
            asked.setdefault(name, set()).update(re.findall(r"(\w+)(?:=~|!~|!=|=)", labels))
    return asked, grouped


@pytest.mark.parametrize(("title", "expression"), expressions(), ids=lambda value: value[:40])
def test_queries_only_existing_metrics(title, expression, known):
    asked, grouped = names(expression)
    assert asked
    for metric, labels in asked.items():
        assert metric in known
        assert labels <= known[metric] | GIVEN
        assert grouped <= known[metric] | GIVEN


def test_names_are_found_in_an_expression():
    expression = 'sum by (le, b) (rate(one_x{b=~"rate", c!="y"}[5m])) / vector(0) or two offset 1m'
    assert names(expression) == ({"one_x": {"b", "c"}, "two": set()}, {"le", "b"})


def test_the_dashboard_shows_everything_that_is_exported(known):
    shown = {metric for _, expression in expressions() for metric in names(expression)[0]}
    families = {re.sub(r"_(bucket|sum|count)$", "", name) for name in shown}
    assert families >= {re.sub(r"_(bucket|sum|count)$", "", name) for name in known if name.startswith("sentiment_")}


def test_panels_neither_overlap_nor_share_an_id():
    panels = dashboard()["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    cells = [
        (x, y)
        for place in (panel["gridPos"] for panel in panels)
        for x in range(place["x"], place["x"] + place["w"])
        for y in range(place["y"], place["y"] + place["h"])
    ]
    assert len(set(cells)) == len(cells)
    assert max(x for x, _ in cells) < 24


def test_the_dashboard_asks_the_provisioned_source():
    (source,) = yaml.safe_load((DEPLOY / "grafana/provisioning/datasources/prometheus.yaml").read_text())["datasources"]
    assert {p["datasource"]["uid"] for p in dashboard()["panels"] if "datasource" in p} == {source["uid"]}
