"""Makes `tests.validators.samples` importable: pytest's importlib mode adds nothing to the path."""

import sys
from pathlib import Path

_ROOT = str(Path(__file__).parents[2])
if _ROOT not in sys.path:
    sys.path.append(_ROOT)
