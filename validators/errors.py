"""The root of this package's errors. A bad submission is a report, not an error.

    ValidatorsError
    └── UnknownStandard     code "standard-unknown": a version that this package does not carry

Further branches are drawn where they are defined: `refusal`, `manifest`, `strictjson`, `building`,
`profile`, `readers.row`, `report.givenback`, `browser` and `converting.problems`.
"""


class ValidatorsError(Exception):
    """Something here could not be done; `code` is stable and meant for machines."""

    code = "validators-error"


class UnknownStandard(ValidatorsError):
    """The version asked for is not one of those carried."""

    code = "standard-unknown"
