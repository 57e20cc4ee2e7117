"""The rules of the house that no linter checks."""

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SOURCES = sorted((ROOT / "src").rglob("*.py"))
NOT_OURS = {
    ".git",
    ".venv",
    "results",
    "__pycache__",
    ".mypy_cache",
    ".ruff_cache",
    ".pytest_cache",
    ".hypothesis",
}
LARGEST_FILE = 1_300_000  # the report of the worked example holds the library that draws its charts

Documented = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


def repository_files() -> list[Path]:
    """Every file that is, or would be, in the repository; also where there is no git."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, check=False)
    if listed.returncode == 0:
        return [
            path for name in listed.stdout.decode().split("\0") if name and (path := ROOT / name).is_file()
        ]
    return [p for p in ROOT.rglob("*") if p.is_file() and NOT_OURS.isdisjoint(p.relative_to(ROOT).parts)]


def places(pattern: str, paths: list[Path]) -> list[str]:
    """`file:line: text` of every match; bytes, so that any file can be read."""
    wanted = re.compile(pattern.encode())
    return [
        f"{path.relative_to(ROOT)}:{number}: {line.decode(errors='replace').strip()[:100]}"
        for path in paths
        for number, line in enumerate(path.read_bytes().splitlines(), 1)
        if wanted.search(line)
    ]


def public(node: ast.Module | ast.ClassDef) -> Iterator[Documented]:
    for child in node.body:
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and child.name[0] != "_":
            yield child
            if isinstance(child, ast.ClassDef):
                yield from public(child)


def test_source_files_have_at_most_400_lines() -> None:
    sizes = {path.relative_to(ROOT): len(path.read_text(encoding="utf-8").splitlines()) for path in SOURCES}
    assert sizes
    assert not {path: size for path, size in sizes.items() if size > 400}


def test_functions_have_at_most_60_lines() -> None:
    long = [
        f"{path.relative_to(ROOT)}:{node.lineno} {node.name} {length}"
        for path in SOURCES
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        if (length := (node.end_lineno or node.lineno) - node.lineno + 1) > 60
    ]
    assert not long


def test_modules_and_everything_public_have_a_docstring() -> None:
    bare = []
    for path in SOURCES:
        module = ast.parse(path.read_text(encoding="utf-8"))
        nodes: list[ast.Module | Documented] = [module, *public(module)]
        bare += [
            f"{path.relative_to(ROOT)}: {getattr(n, 'name', 'module')}"
            for n in nodes
            if not ast.get_docstring(n)
        ]
    assert not bare


def test_source_has_no_unfinished_work() -> None:
    words = [
        "TO" + "DO",
        "FIX" + "ME",
        "XX" + "X",
        "NotImplemented" + "Error",
        "# st" + "ub",
        "place" + "holder",
    ]
    assert not places("|".join(words), SOURCES)


def test_tests_are_never_skipped() -> None:
    words = [r"pytest\.(mark\.)?(sk" + "ip|xf" + "ail)", "importor" + "skip", "assert " + "True"]
    assert not places("|".join(words), sorted((ROOT / "tests").rglob("*.py")))


def test_no_file_names_a_path_of_one_machine() -> None:
    folders = "|".join(("wo" + "rk", "fa" + "rm", "ro" + "ot", "home/[a-z]", "Us" + "ers/[a-z]"))
    assert not places(rf"(^|[^a-zA-Z.])/({folders})/", repository_files())


def test_no_file_names_a_package_registry() -> None:
    words = [
        r"pypi\." + "org",
        "python" + "hosted",
        "index" + "-url",
        "find" + "-links *=? */",
        "/opt/" + "pypi",
    ]
    assert not places("|".join(words), repository_files())


def test_there_is_no_lock_file() -> None:
    locks = re.compile(r".*\.lock|(pylock.*|Pipfile.*)|requirements.*\.txt")
    assert not [path for path in repository_files() if locks.fullmatch(path.name)]


def test_no_file_is_large() -> None:
    sizes = {path.relative_to(ROOT): path.stat().st_size for path in repository_files()}
    assert not {path: size for path, size in sizes.items() if size > LARGEST_FILE}
