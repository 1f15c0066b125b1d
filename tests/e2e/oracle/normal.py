"""Messages as plain values that two servers can be expected to agree on."""

import re
from collections.abc import Callable

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

NEVER_COMPARED = {
    "backlog_count_hint",
    "build_id_redirect_counter",
    "conflict_token",
    "history_size_bytes",
    "identity",
    "next_page_token",
    "poller_scaling_decision",
    "state_size_bytes",
    "state_transition_count",
    "task_id",
    "version",
}
"""Fields that say how a server works inside, or that no client may interpret."""

TOKENS = {"long_poll_token", "operation_token", "task_token"}
"""Opaque bytes: only their presence is compared."""

MADE_UP = {"request_id"}
"""Ids that whoever handles a request may choose: only their presence is compared."""

KEYED_BY_ID = {"request_id_infos"}
"""Maps whose keys are such ids: their values are compared, in order."""

MEASURED = {
    "approximate_backlog_age",
    "current_retry_interval",
    "execution_duration",
    "schedule_to_start_latency",
}
"""Durations that a clock measured: only their presence is compared."""

OPAQUE_HEADERS = {"operation-timeout", "request-timeout", "temporal-callback-token"}
"""Headers with measured durations and tokens."""

MILLISECOND = 1_000_000

UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
DELETED = re.compile(r"-deleted-[0-9a-f]{5}\b")
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z?")

Rename = Callable[[str], str]


def plain(message: Message, rename: Rename) -> dict:
    """The set fields of a message; ids renamed, times and tokens reduced to their presence."""
    return {
        field.name: _value(field, value, rename)
        for field, value in message.ListFields()
        if field.name not in NEVER_COMPARED and not _is_no_time(field, value)
    }


def text(value: str, rename: Rename) -> str:
    """A text without what differs between any two runs."""
    value = DELETED.sub("-deleted-<hash>", TIME.sub("<time>", rename(value)))
    return UUID.sub("<uuid>", value)


def _is_no_time(field: FieldDescriptor, value: object) -> bool:
    """True for a time before 1970: some fields say so that there is none."""
    return (
        not field.is_repeated
        and field.message_type is not None
        and field.message_type.full_name == "google.protobuf.Timestamp"
        and value.seconds <= 0
    )


def _value(field: FieldDescriptor, value: object, rename: Rename) -> object:
    if field.message_type and field.message_type.GetOptions().map_entry:
        entry = field.message_type.fields_by_name["value"]
        if field.name in KEYED_BY_ID:
            return sorted((_one(entry, one, rename) for one in value.values()), key=str)
        return {
            text(str(key), rename): "<opaque>"
            if key in OPAQUE_HEADERS
            else _one(entry, value[key], rename)
            for key in sorted(value)
        }
    if field.is_repeated:
        return [_one(field, one, rename) for one in value]
    return _one(field, value, rename)


def _one(field: FieldDescriptor, value: object, rename: Rename) -> object:
    if field.type == FieldDescriptor.TYPE_MESSAGE:
        return _message(field, value, rename)
    if field.type == FieldDescriptor.TYPE_ENUM:
        known = field.enum_type.values_by_number.get(value)
        return known.name if known else value
    if field.type == FieldDescriptor.TYPE_BYTES:
        return "<token>" if field.name in TOKENS else text(value.decode("latin-1"), rename)
    if field.name in MADE_UP:
        return "<made up>"
    if field.type == FieldDescriptor.TYPE_STRING:
        return text(value, rename)
    return value


def _message(field: FieldDescriptor, value: Message, rename: Rename) -> object:
    kind = field.message_type.full_name
    if kind == "google.protobuf.Timestamp":
        return "<time>"
    if kind == "google.protobuf.Duration":
        measured = field.name in MEASURED or value.nanos % MILLISECOND
        return "<measured>" if measured else value.ToJsonString()
    return plain(value, rename)
