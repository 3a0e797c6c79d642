"""A model that is served, used, monitored and retrained, for tests of the whole loop."""

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from tests.helpers import command_line, users
from tests.helpers.loopback import until


@dataclass(frozen=True)
class Loop:
    """A model on a stack, with its files of settings."""

    stack: str
    model: str
    folder: Path

    def run(self, *arguments):
        return command_line.run("--stack", self.stack, "--json", *arguments)

    def monitor(self, *more):
        return self.run("--pipeline", "monitor", "--config", self.folder / "monitor.yaml", *more)

    def turn(self, *more):
        return self.run("--pipeline", "continuous", "--config", self.folder / "monitor.yaml", *more)

    @property
    def status(self):
        return self.run("status", "--model", self.model).summary

    @property
    def state(self):
        """The version that is live and healthy, the version in production, and disagreements."""
        status = self.status
        live = status["live"]
        return live["bento"]["version"] if live["healthy"] else None, status["production"], status["disagreements"]

    @property
    def alerts(self):
        log = self.folder / "alerts.jsonl"
        return [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []

    @property
    def http(self):
        return self.status["live"]["http"]

    @cached_property
    def log(self):
        """The folder of the prediction log."""
        from cli.session import session

        with session(self.stack, debug=False):
            from serving.active import model_deployer

            return model_deployer().root / "predictions" / self.model

    def tags(self, run):
        """Returns the names of the tags of a run."""
        from cli.session import session

        with session(self.stack, debug=False):
            from zenml.client import Client

            return [tag.name for tag in Client().get_pipeline_run(run).tags]

    def count_logged(self):
        """Counts the predictions and the labels of users in the log."""
        from sentiment.monitoring.prediction_log import read_log

        records = read_log(self.log).records
        return len(records), sum(record.feedback is not None for record in records)

    def use(self, reviews, labels):
        """Sends texts and labels of users to the service; returns once both are in the log."""
        before = self.count_logged()
        http = self.http
        identifiers = users.predict(http, reviews)
        users.label(http, identifiers[:labels], reviews[:labels])
        until(lambda: self.count_logged() == (before[0] + len(reviews), before[1] + labels))
        return identifiers


LINEAR = {"transformer": {"enabled": False}, "cascade": {"enabled": False}}


def write_settings(folder, model, reviews_file, promotion, candidates):
    """Writes settings of a loop that is fast and does not depend on how busy the cores are."""
    (folder / "promotion.yaml").write_text(
        f"extends: {promotion}\nmargins: {{ece: 1, behaviour: 1, behaviour_mean: 1}}\n"
    )
    (folder / "train.yaml").write_text(
        f"extends: {command_line.ROOT}/configs/train.smoke.yaml\npromotion: {folder}/promotion.yaml\n"
        f"source: {{source: 'file:{reviews_file}', source_column: source}}\n"
        + "".join(f"{name}: {json.dumps(values)}\n" for name, values in candidates.items())
    )
    (folder / "deploy.yaml").write_text(
        f"extends: {command_line.ROOT}/configs/deploy.canary.yaml\nsmoke: {{reviews: 8, p95_ms: 5000}}\n"
        "rollout: {share: 50, seconds: 2, min_requests: 5, max_latency_ratio: 100, min_agreement: 0}\n"
    )
    (folder / "monitor.yaml").write_text(
        f"extends: {command_line.ROOT}/configs/monitor.yaml\nmodel: {model}\n"
        "window: {min_predictions: 200}\nfeedback: {max_per_minute: 100000, max_share: 0.6}\n"
        f"service: {{max_p95_ms: 60000}}\nalert: {{log: {folder}/alerts.jsonl}}\nevidently: null\n"
        f"retrain: {{config: {folder}/train.yaml, deploy: {folder}/deploy.yaml}}\n"
    )


def start(loop, reviews_file, promotion, candidates=LINEAR):
    """Trains and deploys version 1, and stops the live service at the end."""
    loop.folder.mkdir()
    write_settings(loop.folder, loop.model, reviews_file, promotion, candidates)
    model = ("--set", f"model={loop.model}")
    assert loop.run("--pipeline", "train", "--config", loop.folder / "train.yaml", *model).summary["promoted"]
    deploy = ("--pipeline", "deploy", "--config", loop.folder / "deploy.yaml", *model)
    assert loop.run(*deploy).summary["deployed"]
    yield loop
    loop.run("stop")
