"""Trains and deploys every week: an Airflow DAG that calls run.py, on whichever stack its parameter names.

Airflow lives in an environment of its own (requirements.txt beside this file) and imports nothing of this project. Its
worker needs a checkout with ``make setup`` done, where the Airflow variable ``sentiment_project`` says. What the stack
file asks for is in the worker's environment, or in the stack's ``env_file``: no secret passes through Airflow.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import DAG, Param

PROJECT = "{{ var.value.get('sentiment_project', '/opt/sentiment-stack') }}"


def pipeline(name: str, hours: int) -> BashOperator:
    """A task that runs one pipeline; the summary, the last line that it prints, becomes its XCom."""
    return BashOperator(
        task_id=name,
        bash_command=f'exec .venv/bin/python run.py --stack "$STACK" --pipeline {name} --json',
        cwd=PROJECT,
        env={"STACK": "{{ params.stack }}"},  # by the environment: the value is never part of the shell code
        append_env=True,
        execution_timeout=timedelta(hours=hours),
    )


with DAG(
    dag_id="sentiment_stack",
    description="Reviews to a tested, promoted, served sentiment model",
    doc_md=__doc__,
    schedule="@weekly",
    start_date=datetime(2026, 1, 1),
    catchup=False,
    max_active_runs=1,  # two at once are safe, and a waste
    params={"stack": Param("cloud", type="string", pattern="^[a-z0-9-]+$", description="a file in configs/stacks")},
    default_args={
        # a training that was cut short resumes; one that is complete is served from cache
        "retries": 2,
        "retry_delay": timedelta(minutes=5),
        "retry_exponential_backoff": True,
        "max_retry_delay": timedelta(hours=1),
    },
    tags=["sentiment"],
) as dag:
    # without a promotion deploy does nothing: the version in production is already live
    pipeline("train", hours=12) >> pipeline("deploy", hours=1)
