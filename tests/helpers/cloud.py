"""The real servers of the cloud stack; the fixture ``cloud`` starts them once for all tests."""

from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from stacks.cloud.cloud import Cloud


@dataclass(frozen=True)
class Servers:
    """S3, PostgreSQL, MLflow and ZenML of this test session.

    A test that stops one calls ``up()`` at its end, so that the next test finds all of them.
    """

    folder: Path

    @property
    def env_file(self) -> Path:
        """For ``env_file`` of a stack file."""
        return self.folder / "env"

    @property
    def environment(self) -> dict[str, str]:
        """Addresses and credentials, by the names that cloud.yaml asks for."""
        lines = self.env_file.read_text().splitlines()
        return dict(line.split("=", 1) for line in lines if not line.startswith("#"))

    def server(self, name: str):
        """``s3``, ``postgresql``, ``mlflow`` or ``zenml``.

        It has ``stop()``, ``stop(at_once=True)`` (kill -9), ``start()``, ``wait()``, ``process()``, ``port``, ``log``.
        """
        return next(server for server in Cloud(self.folder).servers() if server.name == name)

    def up(self) -> list[str]:
        """Starts the servers that do not answer; returns their names."""
        return [server.name for server in Cloud(self.folder).up(say=lambda _: None)]

    def bucket(self):
        """Client of the bucket's server with the right keys."""
        import boto3

        env = self.environment
        return boto3.client(
            "s3",
            endpoint_url=env["SENTIMENT_S3_ENDPOINT"],
            aws_access_key_id=env["SENTIMENT_S3_ACCESS_KEY"],
            aws_secret_access_key=env["SENTIMENT_S3_SECRET_KEY"],
            region_name="us-east-1",
        )


@contextmanager
def servers(folder: Path):
    """Starts them, and removes them and their files at the end."""
    folder.mkdir()
    started = Servers(folder)
    try:
        started.up()
        yield started
    finally:
        for name in ("mlflow", "zenml"):  # they wait for clients that keep their connections
            started.server(name).stop(at_once=True)
        Cloud(folder).down()
