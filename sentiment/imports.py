"""Import closures: the files of this repository that a module needs, found in the source without importing it.

Cache keys of steps and the files of a Bento derive from them. Imports inside functions count; imports for type checkers
alone do not.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def import_closure(*modules: str, root: Path = ROOT, with_packages: bool = True) -> frozenset[str]:
    """Finds every module below ``root`` that the given ones import, directly or not.

    Args:
        modules: Dotted names of modules.
        root: The folder that holds the packages.
        with_packages: Whether importing ``a.b`` also runs ``a``, as Python does. Without it, a package counts only
            where it is imported by its own name.

    Returns:
        Dotted names, the given ones included.
    """
    found: set[str] = set()
    waiting = list(modules)
    while waiting:
        module = waiting.pop()
        if module in found:
            continue
        found.add(module)
        waiting += _imported(root, module)
        if with_packages and "." in module:
            waiting.append(module.rpartition(".")[0])
    return frozenset(found)


def module_files(modules: Iterable[str], root: Path = ROOT) -> list[str]:
    """Returns the files of modules as sorted POSIX paths relative to ``root``."""
    return sorted(_file(root, module).relative_to(root).as_posix() for module in modules)


@cache
def _imported(root: Path, module: str) -> tuple[str, ...]:
    """Lists the modules below ``root`` that a module imports itself."""
    tree = ast.parse(_file(root, module).read_text(encoding="utf-8"))
    found = []
    for node in _nodes(tree):
        if isinstance(node, ast.Import):
            found += [name.name for name in node.names if _exists(root, name.name)]
        elif isinstance(node, ast.ImportFrom) and node.module and _exists(root, node.module):
            names = [f"{node.module}.{name.name}" for name in node.names]
            found += [name if _exists(root, name) else node.module for name in names]
    return tuple(found)


def _nodes(tree: ast.AST) -> Iterator[ast.AST]:
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            continue
        yield node
        yield from _nodes(node)


def _exists(root: Path, module: str) -> bool:
    return module.split(".", maxsplit=1)[0].isidentifier() and _file(root, module).is_file()


def _file(root: Path, module: str) -> Path:
    path = root.joinpath(*module.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
