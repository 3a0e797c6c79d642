"""The table of commands: every command's help, both spellings, and its typed arguments."""

from dataclasses import FrozenInstanceError, fields
from pathlib import Path

import pytest

from cli.commands import COMMANDS
from cli.grammar import GlobalOptions
from cli.parser import parse
from pipelines.settings import read_score_settings
from sentiment.errors import UserError
from tests.helpers.command_line import ROOT

PIPELINES = [command.name for command in COMMANDS if command.is_pipeline]
STACK = next(command for command in COMMANDS if command.name == "stack")
PATHS = {
    **{(command.name,): command for command in COMMANDS if not command.subcommands},
    **{(group.name, command.name): command for group in COMMANDS for command in group.subcommands},
}
OPTIONS = {
    "train": {"--config", "--set", "--no-cache"},
    "evaluate": {"--config", "--set", "--no-cache"},
    "deploy": {"--config", "--set", "--no-cache", "--canary", "--shadow"},
    "tune": {"--config", "--set", "--no-cache", "--worker"},
    "monitor": {"--config", "--set", "--no-cache"},
    "continuous": {"--config", "--set", "--no-cache"},
    "status": {"--model", "--repair"},
    "report": {"--model", "--output"},
    "stop": set(),
    "versions": {"--model"},
    "compare": {"--model", "--run", "--families", "--markdown"},
    "score": {"--config", "--set", "--no-cache", "--restart"},
    "smoke": {"--model", "--http", "--grpc", "--version", "--config", "--set"},
    "promote": {"--model", "--version", "--by", "--reason", "--dry-run"},
    "prune": {"--model", "--keep", "--older-than", "--dry-run"},
    "rollback": {"--model", "--to", "--by", "--reason", "--dry-run", "--config", "--set"},
    "stack": set(),
    "labels export": {"--format", "--count", "--hours", "--suggest", "--again", "--config", "--set"},
    "labels import": {"--config", "--set"},
}
REQUIRED = {
    "promote": ["--version", "3"],
    "smoke": ["--http", "http://host", "--grpc", "host:1"],
    "export": ["batch.jsonl"],
    "import": ["answers.json"],
    **{name: ["cloud"] for name in ("apply", "show", "use", "check", "remove")},
}


def shown_by(capsys, *words):
    with pytest.raises(SystemExit) as caught:
        parse(COMMANDS, words)
    assert caught.value.code == 0
    return capsys.readouterr().out


def test_help_lists_every_command_and_global_option(capsys):
    out = shown_by(capsys, "--help")
    for word in ["--pipeline", "--stack", "--json", "--debug", *(command.help for command in COMMANDS)]:
        assert word in out


@pytest.mark.parametrize("path", PATHS, ids=" ".join)
def test_every_command_has_its_own_help(path, capsys):
    out = shown_by(capsys, *path, "--help")
    assert out.startswith(f"usage: run.py {' '.join(path)}")
    own, shared = out.split("options of every command:")
    listed = {word.rstrip(",]).") for word in own.replace("[", " ").split() if word.startswith("--")}
    assert listed - {"--help", "--stack", "--json", "--debug"} == OPTIONS.get(" ".join(path), OPTIONS.get(path[0]))
    for word in ("--stack", "--json", "--debug"):
        assert word in shared


@pytest.mark.parametrize("pipeline", PIPELINES)
def test_both_spellings_show_the_same_help(pipeline, capsys):
    assert shown_by(capsys, "--pipeline", pipeline, "--help") == shown_by(capsys, pipeline, "-h")


def test_the_stack_command_lists_its_commands(capsys):
    out = shown_by(capsys, "stack", "--help")
    for command in STACK.subcommands:
        assert f"{command.name} " in out and command.help in out


@pytest.mark.parametrize("pipeline", PIPELINES)
@pytest.mark.parametrize("more", [[], ["--set", "seed=7", "--set", "a.b=c"], ["--config", "x.yaml"], ["--no-cache"]])
def test_both_spellings_give_the_same_arguments(pipeline, more):
    calls = [
        parse(COMMANDS, words)
        for words in (
            ["--pipeline", pipeline, *more],
            [*more, "--pipeline", pipeline],
            [f"--pipeline={pipeline}", *more],
            [pipeline, *more],
            [*more, pipeline],
        )
    ]
    assert all(call == calls[0] for call in calls)
    assert calls[0].command.name == pipeline


def test_the_canary_is_an_argument_of_deploy():
    for words in (
        ["--pipeline", "deploy", "--canary", "10"],
        ["--canary", "10", "--pipeline", "deploy"],
        ["deploy", "--canary=10"],
    ):
        arguments = parse(COMMANDS, words).arguments
        assert (arguments.canary, arguments.shadow, arguments.overrides) == ("10", False, ())
        assert arguments.config == Path("configs/deploy.yaml")


@pytest.mark.parametrize("path", PATHS, ids=" ".join)
def test_global_options_stand_before_and_after_a_command(path):
    given = [*path, *REQUIRED.get(path[-1], [])]
    options = ["--stack", "cloud", "--json"]
    for words in ([*options, *given], [*given, *options], ["--json", *given, "--stack=cloud"]):
        call = parse(COMMANDS, words)
        assert call.command is PATHS[path]
        assert call.options == GlobalOptions(stack="cloud", json=True, debug=False)
    assert parse(COMMANDS, given).options == GlobalOptions(stack="local", json=False, debug=False)


def test_a_value_that_is_named_like_a_command_is_a_value():
    call = parse(COMMANDS, ["--stack", "train", "compare", "--run", "status", "--model", "stop"])
    assert (call.command.name, call.options.stack) == ("compare", "train")
    assert (call.arguments.run, call.arguments.model) == ("status", "stop")


def test_options_may_be_shortened():
    call = parse(COMMANDS, ["--pipe", "train", "--conf", "x.yaml"])
    assert (call.command.name, call.arguments.config) == ("train", Path("x.yaml"))


def test_arguments_are_typed_and_frozen():
    arguments = parse(COMMANDS, ["rollback", "--to", "2", "--set", "smoke.reviews=8"]).arguments
    assert (arguments.to, arguments.dry_run, arguments.model) == ("2", False, "sentiment")
    assert arguments.overrides == ("smoke.reviews=8",)
    with pytest.raises(FrozenInstanceError):
        arguments.to = "3"


def test_no_command_is_no_call():
    assert parse(COMMANDS, []) is None
    assert parse(COMMANDS, ["--stack", "cloud", "--json"]) is None


@pytest.mark.parametrize("pipeline", [name for name in PIPELINES if name != "deploy"])
def test_only_deploy_takes_a_canary(pipeline):
    for words in (["--pipeline", pipeline, "--canary", "10"], ["--shadow", pipeline]):
        with pytest.raises(
            UserError, match=f"run.py {pipeline}: has no option --(canary|shadow): it belongs to deploy"
        ):
            parse(COMMANDS, words)


@pytest.mark.parametrize("option", ["--config=x.yaml", "--set=a=b", "--no-cache"])
def test_options_of_pipelines_belong_to_pipelines(option):
    with pytest.raises(UserError, match=f"has no option {option.partition('=')[0]}: it belongs to train and tune"):
        parse(COMMANDS, ["status", option])


def test_an_option_takes_a_value_in_every_command_or_in_none():
    """Otherwise the parser could not find the name of the command behind it."""
    kinds = {}
    for command in PATHS.values():
        for declared in fields(command.arguments):
            is_switch = declared.metadata["keywords"].get("action") == "store_true"
            assert kinds.setdefault(declared.name, is_switch) == is_switch


def test_inputs_and_outputs_of_scoring_are_relative_to_the_users_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    here = str(tmp_path)
    for given, expected in {
        "a.csv": f"{here}/a.csv", "my #1 [a]: b.csv": f"{here}/my #1 [a]: b.csv", "file:a.csv": f"{here}/a.csv",
        "in/*.parquet": f"{here}/in/*.parquet", "/x/a.csv": "/x/a.csv", "-": "-",
        "s3://bucket/a": "s3://bucket/a", "imdb-50k": "imdb-50k", "hub:name": "hub:name", "sql:$DB": "sql:$DB",
        "sql:sqlite:///a.db": f"sql:sqlite:///{here}/a.db", "sql:postgresql://host/db": "sql:postgresql://host/db",
    }.items():  # fmt: skip
        assert parse(COMMANDS, ["score", given, "out"]).arguments.input == expected
        long = parse(COMMANDS, ["--pipeline", "score", "--set", f"input={given}", "--set", "output=out"]).arguments
        settings = read_score_settings(ROOT / "configs" / "score.yaml", long.overrides)
        assert (settings.input, settings.output) == (expected, f"{here}/out")
