"""What keeps the package readable: short functions, no modules in a circle, nobody uses another's private names."""

import ast
import pkgutil
from functools import cache
from pathlib import Path

import lecture11

ROOT = Path(lecture11.__file__).parent
FILES = sorted(ROOT.rglob("*.py"))
# Of other libraries, which have no public way.
FOREIGN = {
    "_assert_async", "_exit", "_hashable_content", "_kwargs", "_needs_mul_brackets", "_print", "_print_ExpBase",
    "_to_mpmath",
}  # fmt: skip


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def name_of(path: Path) -> str:
    parts = path.relative_to(ROOT.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {name_of(path): path for path in FILES}


def too_long(module: ast.Module) -> list[str]:
    functions = (node for node in ast.walk(module) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))
    return [f.name for f in functions if f.end_lineno is not None and f.end_lineno - f.lineno >= 60]


def imported(name: str) -> set[str]:
    """Modules of the package that a module imports when it is imported itself."""
    found = set()
    for node in tree(MODULES[name]).body:
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {f"{node.module}.{alias.name}" for alias in node.names} | {node.module}
    # A module whose package imports it, and which takes something else from that package, is in no circle.
    return {other for other in found & set(MODULES) if not name.startswith(f"{other}.")} - {name}


def circle(uses: dict[str, set[str]]) -> set[str]:
    """The modules that are left when those go that use none of the rest."""
    while done := {name for name, used in uses.items() if not used}:
        uses = {name: used - done for name, used in uses.items() if name not in done}
    return set(uses)


def foreign_privates(module: ast.Module) -> set[str]:
    """Private names of objects that are not ``self``, and that nothing in the file defines."""
    own = {node.name for node in ast.walk(module) if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    stored = [node for node in ast.walk(module) if isinstance(getattr(node, "ctx", None), ast.Store)]
    own |= {node.attr for node in stored if isinstance(node, ast.Attribute)}
    own |= {node.id for node in stored if isinstance(node, ast.Name)}
    used = {node.attr for node in ast.walk(module) if isinstance(node, ast.Attribute)}
    used |= {alias.name for node in ast.walk(module) if isinstance(node, ast.ImportFrom) for alias in node.names}
    return {name for name in used - own - FOREIGN if name.startswith("_") and not name.startswith("__")}


def test_no_function_is_longer_than_sixty_lines() -> None:
    assert {name: long for name, path in MODULES.items() if (long := too_long(tree(path)))} == {}


def test_no_modules_import_each_other_in_a_circle() -> None:
    assert circle({name: imported(name) for name in MODULES}) == set()


def test_private_names_stay_in_their_module() -> None:
    assert {name: used for name, path in MODULES.items() if (used := foreign_privates(tree(path)))} == {}


def test_what_is_looked_for_would_be_found() -> None:
    long = ast.parse("def f():\n" + "    x = 1\n" * 60)
    assert too_long(long) == ["f"]
    assert circle({"a": {"b"}, "b": {"a"}, "c": set()}) == {"a", "b"}
    assert foreign_privates(ast.parse("from a import _b\nx._c\nself._d = 1\nself._d")) == {"_b", "_c"}


def test_every_module_is_looked_at() -> None:
    walked = {module.name for module in pkgutil.walk_packages(lecture11.__path__, "lecture11.")}
    assert walked <= set(MODULES)
