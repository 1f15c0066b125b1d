"""What two command lines answered, without what tells two moments apart."""

import re

# What tells two runs, or two moments, apart.
VOLATILE = {
    "stateSizeBytes",
    "runId",
    "firstExecutionRunId",
    "originalExecutionRunId",
    "requestId",
    "taskId",
    "eventTime",
    "identity",
    "durationMillis",
    "conflictToken",
    "sdkName",
    "sdkVersion",
    "lastAccessTime",
    "historySizeBytes",
    "longPollToken",
}
AGES = {"executionDuration"}
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")


def without_ages(value):
    """A value without what grows from one moment to the next."""
    if isinstance(value, dict):
        return {key: without_ages(item) for key, item in value.items() if key not in AGES}
    return [without_ages(item) for item in value] if isinstance(value, list) else value


def stable(value, names: dict[str, str]):
    """A value without what tells two moments apart."""
    if isinstance(value, dict):
        return {
            names.get(key, key): stable(item, names)
            for key, item in value.items()
            if key not in VOLATILE
        }
    if isinstance(value, list):
        return [stable(item, names) for item in value]
    if isinstance(value, str):
        for name, stand_in in names.items():
            value = value.replace(name, stand_in)
        return TIME.sub("<time>", value)
    return value
