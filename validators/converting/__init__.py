"""What agencies have already, made into records of the standard (CTDS section 9).

Pure: open files in, records out; no clock, no randomness, no disk. The same input gives the same
records, ids included. Exports of children hold who they are: of those columns tokens are made, and
nothing else of them goes on (`validators.linkage`).

    ValidatorsError
    └── SourceUnfit         code "source-unfit": a file cannot be converted as it is
"""
