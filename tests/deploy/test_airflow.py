"""A real Airflow, in its own virtual environment, reads the DAG and runs it."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from cli.commands import COMMANDS
from cli.parser import parse
from tests.helpers.deploy_files import DEPLOY, ROOT

AIRFLOW = Path(os.environ.get("AIRFLOW_PYTHON", ROOT / ".cache" / "airflow" / "bin" / "python"))
DAGS = DEPLOY / "airflow"

# Reads every DAG of the folder, prints its tasks, and runs it once without a scheduler.
SCRIPT = """
import json, sys
from airflow.dag_processing.dagbag import DagBag
from airflow.utils.db import initdb

if __name__ == "__main__":
    bag = DagBag(sys.argv[1])
    dag = bag.dags["sentiment_stack"]
    initdb()
    run = dag.test(run_conf={"stack": "cloud"}, variable_file_path=sys.argv[2])
    sys.stdout.write("\\n" + json.dumps({
        "errors": bag.import_errors,
        "dags": {name: [dag.catchup, dag.max_active_runs] for name, dag in bag.dags.items()},
        "tasks": {t.task_id: [t.retries, sorted(t.upstream_task_ids), t.trigger_rule] for t in dag.tasks},
        "state": run.state,
        "summaries": {t.task_id: t.xcom_pull(task_ids=t.task_id) for t in run.get_task_instances()},
    }) + "\\n")
"""
# Stands in for a checkout: prints its arguments.
PROJECT = """
import json, os, sys
print("a line for people")
print(json.dumps({"arguments": sys.argv[1:], "folder": os.getcwd(), "key": os.environ["SENTIMENT_ZENML_API_KEY"]}))
"""


@pytest.fixture(scope="module")
def seen(tmp_path_factory):
    """The DAG as Airflow reads it, and the result of a run."""
    if not AIRFLOW.exists():
        pytest.skip("Airflow is not installed (make airflow)")
    folder = tmp_path_factory.mktemp("airflow")
    project = folder / "project"
    (project / ".venv" / "bin").mkdir(parents=True)
    (project / ".venv" / "bin" / "python").symlink_to(AIRFLOW)
    (project / "run.py").write_text(PROJECT)
    (folder / "variables.json").write_text(json.dumps({"sentiment_project": str(project)}))
    done = subprocess.run(
        [AIRFLOW, "-c", SCRIPT, DAGS, folder / "variables.json"],
        env={
            "PATH": "/usr/bin:/bin",
            "HOME": str(folder),
            "PYTHONDONTWRITEBYTECODE": "1",
            "AIRFLOW_HOME": str(folder / "home"),
            "AIRFLOW__CORE__DAGS_FOLDER": str(DAGS),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__LOGGING__LOGGING_LEVEL": "ERROR",
            "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
            "SENTIMENT_ZENML_API_KEY": "of the worker",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr + done.stdout
    return json.loads(done.stdout.splitlines()[-1]) | {"project": str(project)}


@pytest.mark.slow
def test_is_read_without_errors(seen):
    assert seen["errors"] == {}
    assert seen["dags"] == {"sentiment_stack": [False, 1]}


@pytest.mark.slow
def test_deploys_only_the_trained_version_and_retries(seen):
    assert seen["tasks"] == {"train": [2, [], "all_success"], "deploy": [2, ["train"], "all_success"]}


@pytest.mark.slow
def test_calls_run_py_as_it_wants_to_be_called(seen):
    assert seen["state"] == "success"
    assert set(seen["summaries"]) == {"train", "deploy"}
    for name, summary in seen["summaries"].items():
        assert summary["folder"] == seen["project"]
        assert summary["key"] == "of the worker"
        call = parse(COMMANDS, summary["arguments"])
        assert (call.command.name, call.options.stack, call.options.json) == (name, "cloud", True)


def test_holds_no_secret_and_nothing_of_the_project():
    imported = [line for line in (DAGS / "sentiment_stack.py").read_text().splitlines() if "import " in line]
    modules = {line.split()[1].split(".")[0] for line in imported}
    assert modules == {"__future__", "datetime", "airflow"}
