"""Areas of the United Kingdom: which code stands for an agency's area, and what an area covers.

Follows CTDS section 5. Knows areas by code alone; a code is not looked for on any map, so a police
force covers the code of its own area and not the councils inside it.
"""

from functools import cache

from validators.standard import Agency, Standard

_UK = "UK"
_ENGLAND_AND_WALES = "K04000001"
_WORDS = {
    "national": _UK,
    "UK": _UK,
    "England and Wales": _ENGLAND_AND_WALES,
    "England": "E92000001",
    "Wales": "W92000004",
    "Scotland": "S92000003",
    "Northern Ireland": "N92000002",
}
# One force for the whole nation: its area is the nation's under another code.
_NATION_OF_FORCE = {"S23000009": "S92000003", "PFA_NI": "N92000002"}
_FIRST_LETTERS = {
    "E92000001": "E",
    "W92000004": "W",
    "S92000003": "S",
    "N92000002": "N",
    _ENGLAND_AND_WALES: "EW",
}


def own_area(agency: Agency) -> str:
    """Return the single code for the whole of the agency's area."""
    return _WORDS.get(agency.area, agency.area)


@cache
def nation_of(area: str, standard: Standard) -> str | None:
    """Return the code of the nation that an area, word or code, lies in; None for several.

    `standard` is the version whose lists say which areas there are.
    """
    code = _WORDS.get(area, area)
    code = _NATION_OF_FORCE.get(code, code)
    if code in (_UK, _ENGLAND_AND_WALES) or code not in _codes(standard) | _FIRST_LETTERS.keys():
        return None
    return next(each for each, letters in _FIRST_LETTERS.items() if letters == code[0])


def covers(agency_area: str, area_code: str, standard: Standard) -> bool:
    """Tell whether an area of the register, word or code, covers the area of this code."""
    area = _WORDS.get(agency_area, agency_area)
    if area in (_UK, area_code):
        return True
    nation = _NATION_OF_FORCE.get(area, area)
    if nation in _FIRST_LETTERS:
        code = _NATION_OF_FORCE.get(area_code, area_code)
        return code in _codes(standard) and code[0] in _FIRST_LETTERS[nation]
    return _region_of(standard).get(area_code) == area


@cache
def _codes(standard: Standard) -> frozenset[str]:
    """Every area code below the aggregates, which no single letter places."""
    lists = standard.codelists
    names = ("CL_LA", "CL_PFA", "CL_REGION", "CL_NATION")
    return frozenset(code for name in names for code in lists[name].items) - {
        _UK,
        _ENGLAND_AND_WALES,
        "UNK",
    }


@cache
def _region_of(standard: Standard) -> dict[str, str]:
    lists = standard.codelists
    regions = {label: code for code, label in lists["CL_REGION"].items.items()}
    return {
        row["gss-code"]: regions[row["region"]]
        for row in lists["CL_LA"].rows
        if row["region"] in regions
    }
