"""Starts, ends or shows the servers of the cloud stack: ``python -m stacks.cloud up|down|status``."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from sentiment.errors import UserError
from stacks.cloud.cloud import Cloud
from stacks.cloud.postgresql import PostgreSQL, obstacle

FOLDER = Path(__file__).resolve().parents[2] / ".cloud"


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line."""
    parser = argparse.ArgumentParser(prog="python -m stacks.cloud", description=__doc__)
    parser.add_argument("command", choices=("up", "down", "status"))
    parser.add_argument("--folder", type=Path, default=FOLDER, help="where everything is kept (default: .cloud)")
    options = parser.parse_args(arguments)
    cloud = Cloud(options.folder.resolve())
    try:
        return {"up": up, "down": down, "status": status}[options.command](cloud)
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except OSError as error:
        print(f"error: {error.filename or 'system'}: {error.strerror or error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted: the servers that were started are stopped", file=sys.stderr)
        return 130


def up(cloud: Cloud) -> int:
    """Starts the servers that are not running."""
    begun = time.monotonic()
    started = cloud.up(say=lambda line: print(line, flush=True))
    if started:
        print(f"started {len(started)} of {len(cloud.servers())} in {time.monotonic() - begun:.0f} s\n")
    else:
        print("nothing to do: every server answers\n")
    code = status(cloud)
    if not any(isinstance(server, PostgreSQL) for server in cloud.servers()):
        why = obstacle(cloud.root) or "it was not there at the first start"
        print(f"\nMLflow keeps its data in sqlite, not in PostgreSQL: {why}.")
    print(f"\nAddresses, users and keys: {cloud.env_file}\nNext: python run.py --stack cloud --pipeline train")
    return code


def down(cloud: Cloud) -> int:
    """Stops the servers."""
    ended = cloud.down()
    print(f"ended: {', '.join(ended)}; data stay in {cloud.root}" if ended else "nothing to do: no server runs")
    return 0


def status(cloud: Cloud) -> int:
    """Shows the servers; returns 1 if one does not answer."""
    problems = {server: server.problem() for server in cloud.servers()}
    for server, problem in problems.items():
        print(f"  {server.title:12} {server.address:36} {problem or 'answers'}")
    return 1 if any(problems.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
