"""`python -m tests.fuzz TARGET [option of libFuzzer …]`: coverage-guided fuzzing of one target.

New inputs that reach new code are written to the folder that is named first, if any; what is kept
in `tests/fuzz/corpus/TARGET` is where it starts. `make fuzz` runs each target for a minute.
"""

import os
import sys
from pathlib import Path

import atheris

# Sequoia's errors would carry stack traces, each of which takes longer than reading the input.
os.environ["RUST_BACKTRACE"] = "0"
with atheris.instrument_imports(include=["crypto"]):
    from tests.fuzz.targets import TARGETS, run

CORPUS = Path(__file__).parent / "corpus"


def main() -> None:
    """Fuzz until libFuzzer's options say stop, or a fault is found."""
    name, *options = sys.argv[1:]
    if name not in TARGETS:
        sys.exit(f"one of: {', '.join(TARGETS)}")
    folders = [option for option in options if not option.startswith("-")]
    flags = [option for option in options if option.startswith("-")]
    atheris.Setup([sys.argv[0], *flags, *folders, str(CORPUS / name)], lambda data: run(name, data))
    atheris.Fuzz()


if __name__ == "__main__":
    main()
