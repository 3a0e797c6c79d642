"""Bad input prints one line and leaves the production model as it is."""

import pytest

from tests.helpers import command_line

HEAD = b"text,label,source\n"


def rows(text=lambda i: f"Review number {i} has words of its own", label=lambda i: ("neg", "pos")[i % 2], count=200):
    return HEAD + "".join(f'"{text(i)}",{label(i)},shop\n' for i in range(count)).encode()


FILES = {
    "empty": (b"", "the file is empty"),
    "only the head": (HEAD, "there are no reviews in it"),
    "wrong columns": (rows().replace(b"text,label", b"review,stars", 1), "no column 'text'"),
    "not UTF-8": (rows() + b'"caf\xe9",pos,shop\n', "not UTF-8"),
    "NUL bytes": (rows() + b'"a\x00b",pos,shop\n', "NUL byte"),
    "unknown labels": (rows(label=lambda i: ("neg", "pos", "meh")[i % 3]), "unknown labels in column 'label': 'meh'"),
    "one class": (rows(label=lambda i: "pos"), "all 200 reviews are positive"),
    "too few": (rows(count=20), "20 reviews with 20 distinct texts; at least 100 are needed"),
    "duplicates only": (rows(text=lambda i: f"The same {i % 2}"), "200 reviews with 2 distinct texts"),
    "copies but for case": (
        rows(text=lambda i: "".join(c.upper() if i >> k & 1 else c for k, c in enumerate("the same again"))),
        "distinct reviews are left of 200",
    ),
}
SOURCES = {
    "missing file": ("file:nowhere.csv", "nowhere.csv: no such file"),
    "unknown kind of file": ("file:pyproject.toml", "unknown kind of file"),
    "folder": ("file:configs", "configs"),
    "unreachable hub": ("hub:nobody/nothing", "cannot be read from the hub"),
    "missing database": ("sql:sqlite:///nowhere.db", "no such database file"),
    "unreachable database": ("sql:mysql+pymysql://me@127.0.0.1:9/reviews", "the query failed"),
    "password in the URL": ("sql:mysql+pymysql://me:secret@127.0.0.1:9/reviews", "holds a password"),
    "password with a slash": ("sql:postgresql://me:se/cret@127.0.0.1:9/reviews", "holds a password"),
    "password as an option": ("sql:postgresql://127.0.0.1:9/reviews?user=me&password=secret", "holds a password"),
    "no database": ("sql:nonsense", "not a database URL"),
}
OPTIONS = {
    "misspelt key": (["--set", "transformer.epoch=2"], "Did you mean transformer.epochs?"),
    "unknown stack": (["--stack", "lokal"], "there is no stack 'lokal'. Did you mean local?"),
    "unknown model": (["--set", "transformer.enabled=true", "--set", "transformer.model=no/model"], "no/model"),
    "too large a seed": (["--set", "seed=20261121120000"], "seed"),
    "too long for it": (["--set", "transformer.enabled=true", "--set", "transformer.max_length=4000"], "max_length"),
}


@pytest.fixture(scope="module")
def arguments(linear_model):
    return linear_model.arguments


@pytest.fixture(scope="module", autouse=True)
def production_stays(linear_model):
    """Requires that all of this leaves the versions as they are."""
    model = linear_model.name
    before = command_line.list_versions(model)
    yield
    assert command_line.list_versions(model) == before
    assert command_line.find_production(model) == command_line.find_champion(model) == "1"


def require_refusal(*arguments):
    result = command_line.run(*(a for a in arguments if a != "--json"))
    assert result.code == 2
    assert result.err.startswith("error: ")
    assert result.err.count("\n") == 1
    assert "secret" not in result.err + result.out
    return result.err


@pytest.mark.parametrize(("content", "words"), FILES.values(), ids=FILES)
def test_a_bad_file(content, words, arguments, tmp_path):
    path = tmp_path / "reviews.csv"
    path.write_bytes(content)
    assert words in require_refusal(*arguments, "--set", f"source.source=file:{path}")


@pytest.mark.parametrize(("source", "words"), SOURCES.values(), ids=SOURCES)
def test_a_bad_source(source, words, arguments):
    query = ["--set", "source.query=SELECT text, label FROM reviews"]
    assert words in require_refusal(*arguments, "--set", f"source.source={source}", *query)


@pytest.mark.parametrize(("options", "words"), OPTIONS.values(), ids=OPTIONS)
def test_a_bad_option(options, words, arguments):
    assert words in require_refusal(*arguments, *options)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--set", "version=99"], "there is no version 99"),
        (["--set", "model=unknown"], "no version is in production"),
        (["--set", "source.source=file:nowhere.csv"], "no such file"),
    ],
)
def test_a_bad_evaluation(options, words, linear_model, reviews_file):
    start = [
        "--pipeline",
        "evaluate",
        "--set",
        f"model={linear_model.name}",
        "--set",
        f"source.source=file:{reviews_file}",
    ]
    assert words in require_refusal(*start, *options)


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (["promote", "--version", "99"], "there is no version 99"),
        (["promote", "--version", "one"], "there is no version one"),
        (["rollback"], "no version was in production before"),
        (["rollback", "--to", "99"], "there is no version 99"),
    ],
)
def test_a_bad_command(command, words, linear_model):
    assert words in require_refusal(*command, "--model", linear_model.name)


def test_a_review_of_a_megabyte_is_accepted(train, tmp_path):
    frame = command_line.sentences(200, seed=3)
    frame.loc[0, "text"] = frame.loc[0, "text"] + " word" * 200_000
    frame.to_csv(tmp_path / "long.csv", index=False)
    source = ["--set", f"source.source=file:{tmp_path / 'long.csv'}"]
    assert command_line.run(*train("megabyte", *command_line.LINEAR, *source)).summary["promoted"]
