"""Every stable code that can reach a person, collected from the code itself.

A code is the first argument of an error that the gateway raises, or the `code` of a class. They are
read from the syntax tree, so that one in a path that no test takes is found as well.
"""

import ast
import re
from collections.abc import Iterator
from importlib import import_module
from inspect import getmembers, isclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
CODE = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
CARRIERS = (
    *("Error", "Refused", "Failed", "Conflict", "NotReady", "TooLarge", "LengthRequired"),
    *("Gone", "Superseded", "Mismatch", "TooMany", "TooFast"),
)
MAKERS = {"ours", "Rejection", "Weakness", "_refused", "problem", "fail", "reject"}


def error_classes(*modules: str) -> set[str]:
    """The `code` of every exception defined in these modules."""
    found = set()
    for name in modules:
        for _, kind in getmembers(import_module(name), isclass):
            code = getattr(kind, "code", None)
            if issubclass(kind, Exception) and isinstance(code, str):
                found.add(code)
    return found


def raised(folder: str) -> set[str]:
    """Every code that is given to an error, a rejection or a weakness under a folder."""
    files = sorted((ROOT / folder).rglob("*.py"))
    return {code for file in files for code in _codes(ast.parse(file.read_text()))}


def in_nginx() -> set[str]:
    """The codes of what nginx refuses by itself."""
    return set(re.findall(r'"code":"([a-z-]+)"', (ROOT / "deploy/nginx/gateway.conf").read_text()))


def _codes(tree: ast.AST) -> Iterator[str]:
    for call in ast.walk(tree):
        if not isinstance(call, ast.Call) or not _carries(_name(call.func)):
            continue
        for argument in call.args[:2]:
            if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
                if CODE.fullmatch(argument.value):
                    yield argument.value
                break


def _carries(name: str) -> bool:
    return name in MAKERS or name == "__init__" or name.endswith(CARRIERS)


def _name(function: ast.expr) -> str:
    match function:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
    return ""
