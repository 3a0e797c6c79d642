"""The timer and the cron line start one turn of the loop, and keep the service that it started running."""

import configparser
import re
import shlex
import shutil
import subprocess

import pytest

from cli.commands import COMMANDS
from cli.parser import parse
from tests.helpers.deploy_files import DEPLOY, ROOT

LOOP = DEPLOY / "loop"


def unit(name):
    parsed = configparser.ConfigParser(interpolation=None, strict=True)
    parsed.optionxform = str
    parsed.read_string((LOOP / name).read_text())
    return parsed


def cron_line():
    (line,) = [line for line in (LOOP / "crontab").read_text().splitlines() if not line.startswith("#")]
    return line


def asked(command):
    """The arguments as run.py parses them."""
    words = shlex.split(command)
    start = next(i for i, word in enumerate(words) if word.endswith("run.py"))
    return parse(COMMANDS, words[start + 1 :])


def test_the_unit_runs_one_turn_and_the_service_survives_it():
    service = unit("sentiment-loop.service")["Service"]
    call = asked(service["ExecStart"])
    assert (call.command.name, call.options.json, call.options.stack) == ("continuous", True, "local")
    assert service["Type"] == "oneshot"
    assert service["KillMode"] == "process"  # otherwise the new live service would end with the turn
    for name, folder in (
        ("WorkingDirectory", "%h/sentiment-stack"),
        ("ExecStart", "%h/sentiment-stack/.venv/bin/python"),
    ):
        assert service[name].startswith(folder)


def test_the_timer_is_of_this_unit_and_comes_every_hour():
    timer = unit("sentiment-loop.timer")
    assert timer["Timer"]["OnCalendar"] == "hourly"
    assert timer["Install"]["WantedBy"] == "timers.target"
    assert "Unit" not in timer["Timer"]  # of the unit itself


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd is not installed")
def test_systemd_knows_every_key(tmp_path):
    for name in ("sentiment-loop.service", "sentiment-loop.timer"):
        text = (LOOP / name).read_text().replace("%h/sentiment-stack/.venv/bin/python", "/bin/true")
        (tmp_path / name).write_text(text)
    done = subprocess.run(
        ["systemd-analyze", "--user", "verify", *map(str, tmp_path.iterdir())],
        capture_output=True, text=True, check=False, env={"XDG_RUNTIME_DIR": str(tmp_path), "HOME": str(tmp_path)},
    )  # fmt: skip
    assert "Unknown" not in done.stderr, done.stderr


def test_the_cron_line_keeps_the_result_of_every_turn(tmp_path):
    fields = re.fullmatch(r"(\d+) \* \* \* \* (.+)", cron_line())
    assert 0 < int(fields[1]) < 60  # not at the full hour
    assert "%" not in fields[2]  # cron reads % as the end of the line
    assert asked(fields[2].partition("{ ")[2].partition(" 2>>")[0]).command.name == "continuous"
    project = tmp_path / "sentiment-stack"
    (project / ".venv" / "bin").mkdir(parents=True)
    python = project / ".venv" / "bin" / "python"
    python.write_text('#!/bin/sh\necho "a table"; echo "told" >&2; echo \'{"outcome": "nothing"}\'\n')
    python.chmod(0o755)
    for _ in range(2):
        subprocess.run(["/bin/sh", "-c", fields[2]], env={"HOME": str(tmp_path), "PATH": "/usr/bin:/bin"}, check=True)
    assert (project / ".cache" / "loop.jsonl").read_text() == '{"outcome": "nothing"}\n' * 2
    assert (project / ".cache" / "loop.log").read_text() == "told\n" * 2


def test_the_command_of_both_is_the_makefiles():
    makefile = (ROOT / "Makefile").read_text()
    assert re.search(r"^continuous:.*\n\t\$\(RUN\) --pipeline continuous$", makefile, re.M)
