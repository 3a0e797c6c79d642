"""The command line as a whole: exit codes, error lines, ``--json``."""

import json
import re
import subprocess
import sys
from contextlib import nullcontext
from types import SimpleNamespace

import pytest

from cli import app
from sentiment.settings import is_model_name
from tests.helpers.command_line import ROOT

HEAVY = {
    "zenml", "mlflow", "torch", "transformers", "datasets", "pandas", "numpy", "sklearn", "great_expectations",
    "onnxruntime", "matplotlib", "pydantic", "yaml", "rich", "sqlalchemy",
}  # fmt: skip


@pytest.fixture(autouse=True)
def restore_folder(monkeypatch):
    monkeypatch.chdir(ROOT)  # app.main changes the folder; monkeypatch restores it


@pytest.mark.parametrize("arguments", [["--help"], ["deploy", "--help"], ["rollback", "--help"]])
def test_help_imports_nothing_heavy(arguments):
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "run.py", *arguments], capture_output=True, text=True, check=True
    )
    imported = {line.rpartition("|")[2].strip().partition(".")[0] for line in done.stderr.splitlines()}
    assert "argparse" in imported  # some exist
    assert not imported & HEAVY
    assert not imported & {"pipelines", "steps", "materializers", "stacks"}


def test_no_command_prints_the_help_and_is_an_error(capsys):
    assert app.main([]) == app.BAD_INPUT
    assert "usage: run.py" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("given", "mode", "share"),
    [
        ([], "switch", 10),
        (["--canary", "25"], "canary", 25),
        (["--shadow"], "shadow", 10),
        (["--set", "rollout.mode=canary"], "canary", 10),
        (["--set", "rollout.share=5", "--canary", "30"], "canary", 30),
    ],
)
def test_options_set_the_mode_of_the_rollout(given, mode, share, monkeypatch):
    seen = {}

    def deploy(settings, console):
        seen.update(settings=settings)
        return SimpleNamespace(as_json=dict)

    monkeypatch.setitem(sys.modules, "cli.runs.deploy", SimpleNamespace(run_deploy=deploy))
    monkeypatch.setitem(sys.modules, "cli.session", SimpleNamespace(session=lambda *_, **__: nullcontext()))
    assert app.main(["--pipeline", "deploy", *given]) == app.OK
    assert (seen["settings"].rollout.mode, seen["settings"].rollout.share) == (mode, share)


def test_a_canary_and_a_shadow_at_once_are_refused(capfd):
    assert app.main(["--pipeline", "deploy", "--canary", "10", "--shadow"]) == app.BAD_INPUT
    assert "--shadow: not allowed with argument --canary" in capfd.readouterr().err


BAD = {
    "unknown pipeline": (["--pipeline", "trian"], "there is no pipeline 'trian'. Did you mean train?"),
    "missing config": (["--pipeline", "train", "--config", "configs/trian.yaml"], "Did you mean train.yaml?"),
    "misspelt key": (["--pipeline", "train", "--set", "transformer.epoch=2"], "Did you mean transformer.epochs?"),
    "wrong type": (["--pipeline", "train", "--set", "transformer.epochs=two"], "key transformer.epochs"),
    "bad set": (["--pipeline", "train", "--set", "seed"], "--set seed: is not of the form key=value"),
    "unknown source": (["--pipeline", "train", "--set", "source.source=imbd-50k"], "did you mean 'imdb-50k'?"),
    "missing promotion": (["--pipeline", "train", "--set", "promotion=configs/promotoin.yaml"], "promotion.yaml?"),
    "missing suite": (
        ["--pipeline", "train", "--set", "expectations.splits=nowhere.yaml"],
        "nowhere.yaml: there is no",
    ),
    "no candidate": (
        ["--pipeline", "train", "--set", "linear.enabled=false", "--set", "transformer.enabled=false"],
        "enable at least one",
    ),
    "half a cascade": (["--pipeline", "train", "--set", "linear.enabled=false"], "cascade needs linear"),
    "bad deploy": (["--pipeline", "deploy", "--set", "smoke.review=3"], "Did you mean smoke.reviews?"),
    "bad canary": (["--pipeline", "deploy", "--canary", "100"], "key rollout.share"),
    "canary that is no number": (["--pipeline", "deploy", "--canary", "ten"], "key rollout.share"),
    "no canary at all": (["--pipeline", "deploy", "--canary", "0"], "key rollout.share"),
    "canary without deploy": (
        ["--pipeline", "train", "--canary", "10"],
        "run.py train: has no option --canary: it belongs to deploy. See python run.py train --help.",
    ),
    "shadow of a command": (["--shadow", "versions"], "run.py versions: has no option --shadow: it belongs to deploy"),
    "canary of no command": (["--canary", "10"], "run.py: has no option --canary: it belongs to deploy"),
    "no cache of a command": (
        ["status", "--no-cache"],
        "it belongs to train and tune and evaluate and deploy and monitor",
    ),
    "option of no command": (["versions", "--fast"], "run.py versions: has no option --fast. See"),
    "unknown command": (["verisons"], "run.py: there is no command 'verisons'. Did you mean versions?"),
    "command as a pipeline": (["--pipeline", "stop"], "--pipeline: there is no pipeline 'stop'"),
    "pipeline and command": (["--pipeline", "train", "versions"], "run.py train: does not expect 'versions'"),
    "no name of a pipeline": (["--pipeline"], "--pipeline: there is no pipeline ''"),
    "missing value": (["deploy", "--canary"], "error: --canary: expected one argument"),
    "a name without a reason": (
        ["promote", "--version", "3", "--by", "Ann"],
        "--reason: an approval needs a name and a reason",
    ),
    "missing option": (["promote"], "run.py promote: the following arguments are required: --version"),
    "unknown stack command": (["stack", "aply"], "run.py stack: there is no command 'aply'. Did you mean apply?"),
    "no stack command": (["stack"], "run.py stack: expects a command"),
    "no stack": (["stack", "apply"], "the following arguments are required: NAME"),
    "missing file of the loop": (
        ["--pipeline", "continuous", "--set", "retrain.config=configs/trian.yaml"],
        "Did you mean train.yaml?",
    ),
    "bad evaluate": (["--pipeline", "evaluate", "--set", "verison=3"], "Did you mean version?"),
}


@pytest.mark.parametrize(("arguments", "words"), BAD.values(), ids=BAD)
def test_a_mistake_is_one_line_before_anything_starts(arguments, words, capfd):
    assert app.main(arguments) == app.BAD_INPUT
    out, err = capfd.readouterr()
    assert out == ""
    assert re.fullmatch(r"error: [^\n]+\n", err)
    assert words in err


@pytest.mark.parametrize("name", ["shop/reviews", "a:b", "o'brien", "", "-b", ".b", "two words", "ü", "x" * 64, "x\n"])
def test_an_invalid_model_name_is_refused_before_anything_starts(name, capfd):
    for pipeline in ("train", "evaluate", "deploy", "monitor", "continuous"):
        assert app.main(["--pipeline", pipeline, "--set", f"model={json.dumps(name)}"]) == app.BAD_INPUT
        assert "key model: must be 1 to 63 letters" in capfd.readouterr().err
    for command in (["versions"], ["promote", "--version", "1"], ["smoke", "--http", "http://x", "--grpc", "x:1"]):
        assert app.main([*command, f"--model={name}"]) == app.BAD_INPUT
        err = capfd.readouterr().err
        assert err.startswith("error: --model: must be 1 to 63 letters")
        assert err.count("\n") == 1


@pytest.mark.parametrize("name", ["sentiment", "bad_input", "Shop.reviews-2", "7", "x" * 63])
def test_valid_model_names(name):
    assert is_model_name(name)


def test_debug_shows_the_traceback():
    command = [sys.executable, "run.py", "--pipeline", "trian"]
    plain, debug = (
        subprocess.run([*command, *more], capture_output=True, text=True, check=False) for more in ([], ["--debug"])
    )
    assert (plain.returncode, plain.stdout) == (app.BAD_INPUT, "")
    assert plain.stderr.splitlines() == ["error: --pipeline: there is no pipeline 'trian'. Did you mean train?"]
    assert debug.returncode != 0
    assert "Traceback" in debug.stderr
    assert "there is no pipeline 'trian'" in debug.stderr


def raising(error):
    def run_command(call, console):
        raise error

    return run_command


def test_a_full_disk_is_one_line(monkeypatch, capfd):
    monkeypatch.setattr(app, "run_command", raising(OSError(28, "No space left on device", "/data/model.onnx")))
    assert app.main(["--pipeline", "train"]) == app.FAILED
    assert capfd.readouterr().err == "error: /data/model.onnx: No space left on device\n"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--pipeline", "train"], "interrupted: training resumes where it stopped"),
        (["--pipeline", "deploy"], "interrupted: python run.py status"),
        (["versions"], "interrupted\n"),
    ],
)
def test_an_interrupt_is_one_line(arguments, words, monkeypatch, capfd):
    monkeypatch.setattr(app, "run_command", raising(KeyboardInterrupt()))
    assert app.main(arguments) == app.INTERRUPTED
    assert capfd.readouterr().err.startswith(words)


def test_json_is_the_last_line_of_stdout_and_the_tables_are_not_in_it(monkeypatch, capfd):
    def run_command(call, console):
        console.print("a table")
        return {"run": "train-1"}

    monkeypatch.setattr(app, "run_command", run_command)
    assert app.main(["--pipeline", "train", "--json"]) == app.OK
    out, err = capfd.readouterr()
    assert json.loads(out) == {"run": "train-1"}
    assert "a table" in err
