"""Two records of one scenario, difference by difference."""

import re
from dataclasses import dataclass

SHOWN_MAX = 400
"""How many characters of a value a report shows."""

ABSENT = "(absent)"


@dataclass(frozen=True)
class Difference:
    """A place in the record and what each server has there."""

    place: str
    longtide: object
    reference: object

    @property
    def pattern(self) -> str:
        """The place without the numbers of runs, events and entries."""
        return re.sub(r"run \d+ event \d+ |run \d+ | #\d+|\[\d+\]", "", self.place)

    def __str__(self) -> str:
        longtide, reference = (repr(one)[:SHOWN_MAX] for one in (self.longtide, self.reference))
        return f"{self.place}: Longtide {longtide}, the reference {reference}"


def compare(longtide: list[tuple[str, object]], reference: list[tuple[str, object]]):
    """The differences, in the order of the record.

    Entries are matched by their names and how often each name came before, so that one that is
    missing does not shift all that follow.
    """
    ours, theirs = _numbered(longtide), _numbered(reference)
    differences = []
    for name in [*theirs, *(name for name in ours if name not in theirs)]:
        differences += _walk(name, ours.get(name, ABSENT), theirs.get(name, ABSENT))
    return differences


def _numbered(record: list[tuple[str, object]]) -> dict[str, object]:
    named, seen = {}, {}
    for name, value in record:
        seen[name] = seen.get(name, 0) + 1
        named[name if seen[name] == 1 else f"{name} #{seen[name]}"] = value
    return named


def _walk(place: str, ours: object, theirs: object) -> list[Difference]:
    if isinstance(ours, dict) and isinstance(theirs, dict):
        keys = [*theirs, *(key for key in ours if key not in theirs)]
        return [
            difference
            for key in keys
            for difference in _walk(
                f"{place}.{key}", ours.get(key, ABSENT), theirs.get(key, ABSENT)
            )
        ]
    if isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        return [
            difference
            for index, (one, other) in enumerate(zip(ours, theirs, strict=True))
            for difference in _walk(f"{place}[{index}]", one, other)
        ]
    return [] if ours == theirs else [Difference(place, ours, theirs)]
