import json
import re
import subprocess
import sys
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import pytest

import run
from sentiment.settings import is_model_name

ROOT = Path(__file__).resolve().parents[2]
HEAVY = {
    "zenml", "mlflow", "torch", "transformers", "datasets", "pandas", "numpy", "sklearn", "great_expectations",
    "onnxruntime", "matplotlib", "pydantic", "yaml", "rich", "sqlalchemy",
}  # fmt: skip


@pytest.fixture(autouse=True)
def here(monkeypatch):
    monkeypatch.chdir(ROOT)  # run.main changes the folder; this changes it back


def test_help_imports_nothing_heavy():
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "run.py", "--help"], capture_output=True, text=True, check=True
    )
    imported = {line.rpartition("|")[2].strip().partition(".")[0] for line in done.stderr.splitlines()}
    assert "argparse" in imported  # it does list imports
    assert not imported & HEAVY
    assert not imported & {"pipelines", "steps", "materializers", "stacks"}


def test_help_names_every_option_pipeline_and_command(capsys):
    with pytest.raises(SystemExit) as caught:
        run.main(["--help"])
    assert caught.value.code == 0
    out = capsys.readouterr().out
    options = ["--pipeline", "--config", "--stack", "--set", "--no-cache", "--canary", "--shadow", "--json", "--debug"]
    for word in [*options, *run.PIPELINES, "status", "stop", "versions", "promote", "rollback"]:
        assert word in out


def test_nothing_asked_is_help_and_an_error(capsys):
    assert run.main([]) == run.BAD_INPUT
    assert "usage: run.py" in capsys.readouterr().out


@pytest.mark.parametrize("pipeline", run.PIPELINES)
def test_every_pipeline_has_its_default_settings(pipeline):
    from pipelines import settings
    from sentiment.settings import read_settings

    read = {
        "train": settings.read_train_settings,
        "evaluate": settings.read_evaluate_settings,
        "deploy": partial(read_settings, settings.DeploySettings),
        "monitor": settings.read_monitor_settings,
        "continuous": settings.read_continuous_settings,
    }[pipeline]
    file = "monitor" if pipeline == "continuous" else pipeline
    paths = list((ROOT / "configs").glob(f"{file}*.yaml"))
    assert paths
    for path in paths:
        read(path, ())


def test_the_deploy_file_says_what_the_code_does_without_it():
    from pipelines.settings import DeploySettings
    from sentiment.settings import read_settings

    assert read_settings(DeploySettings, ROOT / "configs" / "deploy.yaml") == DeploySettings()


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
def test_options_say_how_traffic_moves(given, mode, share, monkeypatch):
    seen = {}

    def deploy(settings, console):
        seen.update(settings=settings)
        return SimpleNamespace(as_json=dict)

    monkeypatch.setitem(sys.modules, "cli.run_deploy", SimpleNamespace(run_deploy=deploy))
    monkeypatch.setitem(sys.modules, "cli.session", SimpleNamespace(session=lambda *_, **__: nullcontext()))
    assert run.main(["--pipeline", "deploy", *given]) == run.OK
    assert (seen["settings"].rollout.mode, seen["settings"].rollout.share) == (mode, share)


def test_a_canary_and_a_shadow_at_once_are_refused(capfd):
    with pytest.raises(SystemExit) as caught:
        run.main(["--pipeline", "deploy", "--canary", "10", "--shadow"])
    assert caught.value.code == run.BAD_INPUT
    assert "not allowed with" in capfd.readouterr().err


def test_options_may_stand_before_and_after_a_command():
    for arguments in (["--stack", "cloud", "--json", "versions"], ["versions", "--stack", "cloud", "--json"]):
        options = run.parser().parse_args(arguments)
        assert (options.stack, options.json, options.debug) == ("cloud", True, False)
    assert run.parser().parse_args(["versions"]).stack == "local"


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
    "half a cascade": (["--pipeline", "train", "--set", "linear.enabled=false"], "a cascade needs linear"),
    "bad deploy": (["--pipeline", "deploy", "--set", "smoke.review=3"], "Did you mean smoke.reviews?"),
    "bad canary": (["--pipeline", "deploy", "--canary", "100"], "key rollout.share"),
    "canary that is no number": (["--pipeline", "deploy", "--canary", "ten"], "key rollout.share"),
    "no canary at all": (["--pipeline", "deploy", "--canary", "0"], "key rollout.share"),
    "canary without deploy": (["--pipeline", "train", "--canary", "10"], "--canary: is a way to deploy"),
    "shadow of a command": (["--shadow", "versions"], "--shadow: is a way to deploy"),
    "bad evaluate": (["--pipeline", "evaluate", "--set", "verison=3"], "Did you mean version?"),
}


@pytest.mark.parametrize(("arguments", "words"), BAD.values(), ids=BAD)
def test_a_mistake_is_one_line_before_anything_starts(arguments, words, capfd):
    assert run.main(arguments) == run.BAD_INPUT
    out, err = capfd.readouterr()
    assert out == ""
    assert re.fullmatch(r"error: [^\n]+\n", err)
    assert words in err


@pytest.mark.parametrize("name", ["shop/reviews", "a:b", "o'brien", "", "-b", ".b", "two words", "ü", "x" * 64, "x\n"])
def test_what_cannot_be_a_models_name_is_refused_before_anything_starts(name, capfd):
    for pipeline in ("train", "evaluate", "deploy", "monitor", "continuous"):
        assert run.main(["--pipeline", pipeline, "--set", f"model={json.dumps(name)}"]) == run.BAD_INPUT
        assert "key model: must be 1 to 63 letters" in capfd.readouterr().err
    for command in (["versions"], ["promote", "--version", "1"], ["smoke", "--http", "http://x", "--grpc", "x:1"]):
        assert run.main([*command, f"--model={name}"]) == run.BAD_INPUT
        err = capfd.readouterr().err
        assert err.startswith("error: --model: must be 1 to 63 letters")
        assert err.count("\n") == 1


@pytest.mark.parametrize("name", ["sentiment", "bad_input", "Shop.reviews-2", "7", "x" * 63])
def test_what_can_be_a_models_name(name):
    assert is_model_name(name)


def test_debug_shows_where_it_came_from():
    command = [sys.executable, "run.py", "--pipeline", "trian"]
    plain, debug = (
        subprocess.run([*command, *more], capture_output=True, text=True, check=False) for more in ([], ["--debug"])
    )
    assert (plain.returncode, plain.stdout) == (run.BAD_INPUT, "")
    assert plain.stderr.splitlines() == ["error: --pipeline: there is no pipeline 'trian'. Did you mean train?"]
    assert debug.returncode != 0
    assert "Traceback" in debug.stderr
    assert "there is no pipeline 'trian'" in debug.stderr


def doing(error):
    def dispatch(options, console):
        raise error

    return dispatch


def test_a_full_disk_is_one_line(monkeypatch, capfd):
    monkeypatch.setattr(run, "dispatch", doing(OSError(28, "No space left on device", "/data/model.onnx")))
    assert run.main(["--pipeline", "train"]) == run.FAILED
    assert capfd.readouterr().err == "error: /data/model.onnx: No space left on device\n"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--pipeline", "train"], "interrupted: training resumes where it was"),
        (["--pipeline", "deploy"], "interrupted: python run.py status"),
        (["versions"], "interrupted\n"),
    ],
)
def test_an_interrupt_is_one_line(arguments, words, monkeypatch, capfd):
    monkeypatch.setattr(run, "dispatch", doing(KeyboardInterrupt()))
    assert run.main(arguments) == run.INTERRUPTED
    assert capfd.readouterr().err.startswith(words)


def test_json_is_the_last_line_of_stdout_and_the_tables_are_not_in_it(monkeypatch, capfd):
    def dispatch(options, console):
        console.print("a table")
        return {"run": "train-1"}

    monkeypatch.setattr(run, "dispatch", dispatch)
    assert run.main(["--pipeline", "train", "--json"]) == run.OK
    out, err = capfd.readouterr()
    assert json.loads(out) == {"run": "train-1"}
    assert "a table" in err
