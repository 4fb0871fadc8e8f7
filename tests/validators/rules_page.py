"""Writes docs/rules.md from the standard's data and the docstrings of the code that applies it.

python -m tests.validators.rules_page > docs/rules.md
"""

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from validators.standard import load_standard

CODE = re.compile(r"CT-(\d{3})(?: to (?:CT-)?(\d{3}))?")
SOURCE = Path(__file__).parents[2] / "validators"

INTRODUCTION = """\
# The rules

<!-- Written by tests/validators/rules_page.py. Change the standard or the code, not this page. -->

All rules of CTDS 1.0 ([section 8](../validators/data/ctds-1.0/STANDARD.md#8-validation-rules-106)),
with what to do about each and where in the code it is applied. An error at submission level rejects
the whole package, any other error returns its row; a warning returns nothing."""


def page() -> str:
    """The whole page."""
    return "\n".join(_lines()) + "\n"


def places() -> dict[str, list[str]]:
    """Where each rule is applied: functions that begin with its code, else modules that own it."""
    functions: dict[str, list[str]] = defaultdict(list)
    modules: dict[str, list[str]] = defaultdict(list)
    for path in sorted(SOURCE.rglob("*.py")):
        tree = ast.parse(path.read_text("utf-8"))
        name = path.relative_to(SOURCE).as_posix()
        for code in _codes(ast.get_docstring(tree) or ""):
            modules[code].append(f"`{name}`")
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef) and (text := ast.get_docstring(node)):
                for code in _codes(text.partition(":")[0]) if text.startswith("CT-") else ():
                    functions[code].append(f"`{node.name}` in `{name}`")
    return {code: functions.get(code) or modules[code] for code in load_standard().rules}


def _codes(text: str) -> Iterator[str]:
    for first, last in CODE.findall(text):
        for number in range(int(first), int(last or first) + 1):
            yield f"CT-{number:03}"


def _lines() -> Iterator[str]:
    yield INTRODUCTION
    standard, where = load_standard(), places()
    for level in dict.fromkeys(rule.level for rule in standard.rules.values()):
        yield f"\n## {level.capitalize()} level\n"
        yield "| Code | Severity | Applies to | What must be true | How to mend it | Applied by |"
        yield "|---|---|---|---|---|---|"
        for code, rule in standard.rules.items():
            if rule.level == level:
                cells = (code, rule.severity, rule.applies, rule.test, rule.mend)
                text = " | ".join(cell.replace("|", "\\|") for cell in cells)
                yield f"| {text} | {', '.join(where[code])} |"


if __name__ == "__main__":
    print(page(), end="")
