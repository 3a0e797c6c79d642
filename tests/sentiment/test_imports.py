"""Import closures are found in the source."""

import pytest

from sentiment.imports import import_closure, module_files

FILES = {
    "a/__init__.py": "import os",
    "a/one.py": "from a import two\nfrom typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import b.types",
    "a/two.py": "def later():\n    from b.three import name\n    import numpy",
    "a/alone.py": "",
    "b/__init__.py": "from b.base import x",
    "b/base.py": "",
    "b/types.py": "",
    "b/three.py": "from . import base\nimport b.four as four",
    "b/four.py": "try:\n    import a.one\nexcept ImportError:\n    pass",
}


@pytest.fixture
def root(tmp_path):
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def test_follows_imports_in_functions_and_circles_but_not_those_of_type_checkers(root):
    assert import_closure("a.one", root=root, with_packages=False) == {"a.one", "a.two", "b.three", "b.four"}


def test_a_package_counts_where_its_modules_are_imported_as_python_runs_it(root):
    assert import_closure("b.three", root=root) >= {"b", "b.base", "a", "a.two"}
    assert import_closure("a.alone", root=root) == {"a.alone", "a"}


def test_files_are_sorted_paths(root):
    assert module_files({"b", "a.one"}, root) == ["a/one.py", "b/__init__.py"]
