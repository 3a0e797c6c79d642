"""With ``automatic: false`` a version waits until a person approves it."""

import pytest

from tests.helpers import command_line

MODEL = "approved"


def command(name, *more):
    return command_line.run(name, "--model", MODEL, "--json", *more)


@pytest.fixture(scope="module")
def held(train, reviews_file, promotion, tmp_path_factory):
    """Version 1 keeps every rule, and waits."""
    path = tmp_path_factory.mktemp("held") / "promotion.yaml"
    path.write_text(f"extends: {promotion}\nautomatic: false\n")
    arguments = train(MODEL, *command_line.LINEAR, "--set", f"source.source=file:{reviews_file}")
    return command_line.run(*arguments, "--set", f"promotion={path}").summary


def test_a_version_waits_until_it_is_approved_by_name(held, tmp_path):
    assert (held["promoted"], held["reason"]) == (
        False,
        "keeps every rule, waits for an approval: python run.py promote",
    )
    refused = command("promote", "--version", "1")
    assert refused.code == 2
    line = 'version 1 waits for an approval. Say who approves it, and why: --by NAME --reason "...".'
    assert refused.err.splitlines()[-1] == f"error: model {MODEL}: {line}"
    assert command("promote", "--version", "1", "--dry-run").err.splitlines()[-1] == refused.err.splitlines()[-1]
    assert command_line.find_production(MODEL) is None
    hint = 'version 1 waits for an approval: python run.py promote --version 1 --by NAME --reason "..."'
    assert hint in command("status").err
    assert "waits for approval" in command("versions").err

    deploy = ("--pipeline", "deploy", "--set", f"model={MODEL}", "--set", "version=1", "--set", "require_approval=true")
    line = f"key require_approval: version 1 of {MODEL} carries no approval. python run.py promote --version 1"
    assert command_line.run(*deploy).err.splitlines()[-1].startswith(f"error: {line}")

    promoted = command("promote", "--version", "1", "--by", "Ann [x]", "--reason", "read 50 of its answers")
    assert promoted.summary["changed"]
    assert command_line.find_production(MODEL) == command_line.find_champion(MODEL) == "1"
    (version,) = command("versions").summary["versions"]
    assert (version["waiting"], version["approved_by"]) == (False, "Ann [x]")
    page = tmp_path / "report.html"
    assert command("report", "--output", page).summary["versions"][0]["approval_reason"] == "read 50 of its answers"
    assert "Approved by Ann [x] (read 50 of its answers)" in page.read_text()
