from pathlib import Path

import pytest
from pydantic import Field

from sentiment.errors import UserError
from sentiment.settings import Settings, nearest_of, read_settings


class Recipe(Settings):
    epochs: float = Field(1.0, gt=0)
    learning_rate: float = 1e-4
    rows: int | None = None


class Limit(Settings):
    highest: float = 0.5


class Plan(Settings):
    name: str = "plan"
    seed: int = Field(13, ge=0)
    recipe: Recipe = Recipe()
    second: Recipe | None = None
    limits: dict[str, Limit] = Field(default_factory=dict)
    shares: tuple[float, ...] = (0.1, 0.2)
    place: Path = Path("here")


@pytest.fixture
def write(tmp_path):
    def write(text, name="plan.yaml"):
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return write


def refusal(path, *overrides):
    with pytest.raises(UserError) as caught:
        read_settings(Plan, path, overrides)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_missing_key_has_its_default(write):
    plan = read_settings(Plan, write("seed: 3\nrecipe: {epochs: 2}\nshares: [1]\nplace: there\n"))
    assert plan == Plan(seed=3, recipe=Recipe(epochs=2), shares=(1.0,), place=Path("there"))
    assert read_settings(Plan, write("# nothing\n")) == Plan()


@pytest.mark.parametrize(
    ("text", "key", "nearest"),
    [
        ("sed: 3", "key sed", "Did you mean seed?"),
        ("recipe: {epoch: 3}", "key recipe.epoch", "Did you mean recipe.epochs?"),
        ("second: {epoch: 3}", "key second.epoch", "Did you mean second.epochs?"),
        ("limits: {typos: {higest: 1}}", "key limits.typos.higest", "Did you mean limits.typos.highest?"),
        ("zzzzzz: 3", "key zzzzzz", "Known: limits, name, place, recipe, second, seed, shares."),
    ],
)
def test_a_misspelt_key_is_named_with_its_file_and_the_nearest_right_one(text, key, nearest, write):
    path = write(text)
    message = refusal(path)
    assert str(path) in message
    assert key in message
    assert "no such key" in message
    assert nearest in message


@pytest.mark.parametrize(
    ("text", "key", "given"),
    [
        ("seed: many", "key seed", "'many'"),
        ("seed: -1", "key seed", "-1"),
        ("seed: 1.5", "key seed", "1.5"),
        ("recipe: {epochs: 0}", "key recipe.epochs", "0"),
        ("recipe: {epochs: .nan}", "key recipe.epochs", "nan"),
        ("recipe: {epochs: .inf}", "key recipe.epochs", "inf"),
        ("recipe: {epochs: nan}", "key recipe.epochs", "'nan'"),
        ("recipe: 5", "key recipe", "5"),
        ("recipe: null", "key recipe", "None"),
        ("shares: [0.1, x]", "key shares.1", "'x'"),
        ("limits: {typos: {highest: x}}", "key limits.typos.highest", "'x'"),
    ],
)
def test_a_wrong_value_is_named_with_its_key_and_file(text, key, given, write):
    path = write(text)
    message = refusal(path)
    assert f"{path}, {key}:" in message
    assert f"(it is {given})" in message


@pytest.mark.parametrize("text", ["- a\n- b\n", "just words\n", "a: [1\n", "a: 'b\n", "a:\n\t- b\n"])
def test_a_file_that_is_not_a_mapping_is_refused(text, write):
    path = write(text)
    assert str(path) in refusal(path)


def test_a_file_that_is_not_text_is_refused(tmp_path):
    path = tmp_path / "plan.yaml"
    path.write_bytes(b"name: \xff\xfe\n")
    assert "cannot be read as YAML" in refusal(path)
    assert "cannot be read as YAML" in refusal(tmp_path)


def test_a_missing_file_names_the_nearest(write, tmp_path):
    write("", "train.yaml")
    write("", "evaluate.yaml")
    message = refusal(tmp_path / "trian.yaml")
    assert "no such file" in message
    assert "Did you mean train.yaml?" in message
    assert "Known: none." in refusal(tmp_path / "no" / "folder.yaml")


def test_a_file_extends_another(write):
    write("name: base\nseed: 1\nrecipe: {epochs: 3, rows: 5}\nshares: [0.5]\n", "base.yaml")
    write("extends: base.yaml\nseed: 2\nrecipe: {rows: null}\n", "middle.yaml")
    plan = read_settings(Plan, write("extends: middle.yaml\nshares: [0.7, 0.8]\n"))
    assert plan == Plan(name="base", seed=2, recipe=Recipe(epochs=3, rows=None), shares=(0.7, 0.8))


def test_a_file_that_extends_nothing_or_itself_is_refused(write):
    assert "no such file" in refusal(write("extends: bose.yaml\n"))
    assert "extends itself" in refusal(write("extends: plan.yaml\n"))
    write("extends: plan.yaml\n", "base.yaml")
    assert "extends itself" in refusal(write("extends: base.yaml\n"))


def test_set_replaces_single_values(write):
    path = write("seed: 1\nrecipe: {epochs: 3, rows: 5}\n")
    overrides = [
        "seed=7",
        "recipe.rows=null",
        "second.epochs=0.5",
        "shares=[0.3]",
        "name=a=b",
        "recipe.learning_rate=3e-5",
    ]
    plan = read_settings(Plan, path, overrides)
    assert plan == Plan(
        seed=7,
        recipe=Recipe(epochs=3, rows=None, learning_rate=3e-5),
        second=Recipe(epochs=0.5),
        shares=(0.3,),
        name="a=b",
    )
    assert read_settings(Plan, path, ["seed=7", "seed=8"]).seed == 8


@pytest.mark.parametrize(
    ("override", "words"),
    [
        ("seed", "not of the form key=value"),
        ("=7", "not of the form key=value"),
        ("", "not of the form key=value"),
        ("seed=[1", "not YAML"),
        ("seed=", "key seed"),
        ("seed=many", "key seed"),
        ("sede=3", "Did you mean seed?"),
        ("recipe.epoch=3", "Did you mean recipe.epochs?"),
        ("recipe.epochs.more=3", "epochs has no keys below it"),
        ("recipe=3", "key recipe"),
        ("recipe.epochs=.nan", "key recipe.epochs"),
        (".=3", "no such key"),
    ],
)
def test_a_bad_set_is_one_clear_line(override, words, write):
    assert words in refusal(write("recipe: {epochs: 3}\n"), override)


def test_settings_do_not_change_after_reading(write):
    plan = read_settings(Plan, write(""))
    with pytest.raises(ValueError, match="frozen"):
        plan.seed = 5


def test_the_nearest_name():
    assert nearest_of("trian", ["train", "evaluate"]) == "Did you mean train?"
    assert nearest_of("xyz", ["train", "evaluate"]) == "Known: evaluate, train."
    assert nearest_of("xyz", []) == "Known: none."
