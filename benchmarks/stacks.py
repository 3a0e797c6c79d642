"""The cost of stacks: applying and checking the cloud stack, running on it, moving large artifacts to S3 and back.

commands    `run.py stack apply cloud` the first time and again, and `run.py stack check cloud`, as a person starts them
pipelines   the smoke profile from reviews to a promoted model, every step run, on the cloud stack and on the local one,
            in turns
artifacts   one large file, stored and loaded as every artifact is (materializers/directory.py), against `aws s3 cp` of
            the same file, in turns; the start of the AWS command is left out

The servers of `make cloud-up` run on this machine for it, in a folder of their own, and so does ZenML; the AWS command
line is installed from PyPI into an environment of its own.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
MB = 10**6


def timed(action: Callable[[], object]) -> float:
    """Seconds that an action takes."""
    started = time.perf_counter()
    action()
    return time.perf_counter() - started


@contextmanager
def cloud(folder: Path) -> Iterator[None]:
    """Starts the servers, and lets this process and those that it starts know them."""
    from stacks.cloud.cloud import Cloud

    servers = Cloud(folder / "cloud")
    os.environ |= {"ZENML_CONFIG_PATH": str(folder / "zenml"), "AWS_DEFAULT_REGION": "us-east-1"}
    try:
        servers.up(say=lambda words: print(words, file=sys.stderr))
        lines = servers.env_file.read_text().splitlines()
        os.environ |= dict(line.split("=", 1) for line in lines if not line.startswith("#"))
        yield
    finally:
        servers.down()


def commands(repeats: int) -> None:
    """Prints how long whole commands take."""
    apply, check = (
        [sys.executable, "run.py", "stack", "apply", "cloud"],
        [sys.executable, "run.py", "stack", "check", "cloud"],
    )

    def run(command: list[str]) -> float:
        return timed(lambda: subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL))

    rows = {"stack apply, the first time": [run(apply)]}
    rows["stack apply, nothing to change"] = [run(apply) for _ in range(repeats)]
    rows["stack check"] = [run(check) for _ in range(repeats)]
    for words, seconds in rows.items():
        print(f"{words:<32}{statistics.median(seconds):>6.1f} s")


def pipelines(folder: Path, repeats: int) -> None:
    """Prints how long the smoke profile takes on either stack, as a person starts it."""
    seconds: dict[str, list[float]] = {"local": [], "cloud": []}
    for i in range(repeats):
        for stack, taken in seconds.items():
            command = [sys.executable, "run.py", "--stack", stack, "--pipeline", "train", "--no-cache"]
            command += ["--config", "configs/train.smoke.yaml", "--set", f"model=benchmark-{i}"]
            cache = folder / "cache" / f"{stack}-{i}"  # where a finished training would be found again
            environment = os.environ | {"SENTIMENT_CACHE": str(cache)}
            run = partial(subprocess.run, command, cwd=ROOT, env=environment, check=True, stdout=subprocess.DEVNULL)
            taken.append(timed(run))
            print(f"{stack} {taken[-1]:.0f} s", file=sys.stderr)
    local, there = (statistics.median(taken) for taken in seconds.values())
    print(f"{'smoke profile':<20}local {local:.0f} s   cloud {there:.0f} s   ratio {there / local:.2f}")


def artifacts(folder: Path, megabytes: int, repeats: int) -> None:
    """Prints the speed of a large artifact and of ``aws s3 cp``."""
    copy = aws(folder)
    file, tiny, back = folder / "large.bin", folder / "tiny.bin", folder / "back.bin"
    tiny.write_bytes(b"1")
    with file.open("wb") as sink:
        for _ in range(megabytes):
            sink.write(os.urandom(MB))
    there = f"s3://{os.environ['SENTIMENT_S3_BUCKET']}/benchmark"
    seconds: dict[tuple[str, str], list[float]] = {}

    def measure(tool: str, way: str, action: Callable[[], object], start: float = 0.0) -> None:
        os.sync()  # earlier writes must not slow this down
        seconds.setdefault((tool, way), []).append(timed(action) - start)

    from cli.session import session

    with session("cloud", debug=False):
        artifact = file_artifact(f"zenml/benchmark/{time.time_ns()}")
        for _ in range(repeats):
            measure("ours", "stored", lambda: artifact.save(file))
            start = timed(lambda: copy(tiny, f"{there}/tiny"))
            measure("aws s3 cp", "stored", lambda: copy(file, f"{there}/large"), start)
            loaded: list[Path] = []
            measure("ours", "loaded", lambda: loaded.append(artifact.load(Path)))  # noqa: B023  # called at once
            shutil.rmtree(loaded[0])
            start = timed(lambda: copy(f"{there}/tiny", back))
            back.unlink()
            measure("aws s3 cp", "loaded", lambda: copy(f"{there}/large", back), start)
    for way in ("stored", "loaded"):
        speed = {tool: megabytes / statistics.median(seconds[tool, way]) for tool in ("ours", "aws s3 cp")}
        ratio = speed["ours"] / speed["aws s3 cp"]
        words = f"{megabytes} MB {way}"
        print(f"{words:<20}{speed['ours']:>6.0f} MB/s   aws s3 cp {speed['aws s3 cp']:>6.0f} MB/s   ratio {ratio:.2f}")


def file_artifact(path: str) -> Any:  # noqa: ANN401  # a materializer, which only knows ZenML
    """Stores a file as an artifact of the active stack, below a path in its bucket."""
    from zenml.client import Client

    from materializers.directory import DirectoryMaterializer

    class File(DirectoryMaterializer[Path]):
        SKIP_REGISTRATION = True

        def write(self, value: Path, directory: Path) -> None:
            (directory / value.name).symlink_to(value)

        def read(self, directory: Path) -> Path:
            return directory

        def page(self, value: Path) -> str:
            return value.name

        def fingerprint(self, value: Path) -> None:
            return None

    store = Client().active_stack.artifact_store
    return File(uri=f"{store.path}/{path}", artifact_store=store)


def aws(folder: Path) -> Callable[[Path | str, Path | str], object]:
    """Installs the AWS command line; returns the command that copies with it."""
    venv.create(folder / "aws", with_pip=True)
    programs = folder / "aws" / "bin"
    subprocess.run([programs / "pip", "install", "--quiet", "awscli"], check=True, stderr=subprocess.DEVNULL)
    command = [programs / "aws", "--endpoint-url", os.environ["SENTIMENT_S3_ENDPOINT"], "s3", "cp", "--quiet"]
    environment = os.environ | {
        "AWS_ACCESS_KEY_ID": os.environ["SENTIMENT_S3_ACCESS_KEY"],
        "AWS_SECRET_ACCESS_KEY": os.environ["SENTIMENT_S3_SECRET_KEY"],
    }
    return lambda source, target: subprocess.run([*command, source, target], env=environment, check=True)


def main() -> None:
    """Reads the arguments, starts the servers, and prints the measurements."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=("commands", "pipelines", "artifacts"), help="one part (default: all)")
    parser.add_argument("--megabytes", type=int, default=500, help="size of the artifact (default 500)")
    parser.add_argument("--repeats", type=int, default=3, help="of every measurement; medians count (default 3)")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, cloud(Path(name)):
        if arguments.only in (None, "commands"):
            commands(arguments.repeats)
        if arguments.only in (None, "pipelines"):
            pipelines(Path(name), arguments.repeats)
        if arguments.only in (None, "artifacts"):
            artifacts(Path(name), arguments.megabytes, arguments.repeats)


if __name__ == "__main__":
    main()
