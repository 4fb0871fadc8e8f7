"""What the gateway does with a submission, in order: intake, process, release, retrieve."""
