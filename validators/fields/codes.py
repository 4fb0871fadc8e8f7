"""Codes and lists of codes: CT-016 and CT-018. Case matters; nothing is trimmed or guessed."""

import re
from collections.abc import Sequence
from typing import Any

from validators.fields.fault import Broken, Fault, FieldContext, RecordField, broken, text_of
from validators.fields.text import unfit
from validators.standard import Field

_MOST_FAULTS = 10


class Codes:
    """The codes that one field takes."""

    def __init__(self, definition: Field, context: FieldContext) -> None:
        self._codes = context.standard.allowed_codes(definition)
        self._pattern = re.compile(definition.pattern) if definition.pattern else None
        self._name = " or ".join(definition.codelists) or definition.values

    def fault(self, text: str) -> Fault | None:
        """Return what is wrong with a code, if anything."""
        if text in self._codes or (self._pattern and self._pattern.fullmatch(text)):
            return None
        # ASCII form: a Cyrillic letter that looks like ours would leave its sender puzzled.
        given = text if text.isascii() else ascii(text)[1:-1]
        return unfit(text) or Fault("CT-016", {"value": given, "codelist": self._name})


class CodeField(RecordField[str]):
    """One code."""

    def __init__(self, definition: Field, context: FieldContext) -> None:
        super().__init__(definition, context)
        self._codes = Codes(definition, context)

    def _deserialize(self, value: Any, *_args: Any, **_kwargs: Any) -> str:
        text = text_of(value, "code")
        fault = self._codes.fault(text)
        if fault is not None:
            raise Broken([fault])
        return text


class CodeListField(RecordField[tuple[str, ...]]):
    """Several codes: text joined with semicolons, or a JSON array."""

    def __init__(self, definition: Field, context: FieldContext) -> None:
        super().__init__(definition, context)
        self._codes = Codes(definition, context)
        self._alone = context.standard.alone_in(definition)

    def _deserialize(self, value: Any, *_args: Any, **_kwargs: Any) -> tuple[str, ...]:
        parts = value if isinstance(value, list | tuple) else text_of(value, "code list").split(";")
        given = tuple(text_of(part, "code") for part in parts)
        faults = self._faults(given)
        if faults:
            raise Broken(faults)
        self._require_order(given)
        return given

    def _faults(self, given: Sequence[str]) -> list[Fault]:
        faults: list[Fault] = []
        for code in dict.fromkeys(given):
            fault = self._codes.fault(code)
            if fault is not None:
                faults.append(fault)
            if len(faults) == _MOST_FAULTS:
                break
        return faults

    def _require_order(self, given: Sequence[str]) -> None:
        most = self.definition.max_codes
        if most is not None and len(given) > most:
            raise broken("CT-018", detail=f"has {len(given)} codes; {most} are allowed")
        if len(set(given)) < len(given) or (len(given) > 1 and not self._alone.isdisjoint(given)):
            raise broken("CT-018")
