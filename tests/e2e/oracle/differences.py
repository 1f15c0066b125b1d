"""The table of justified differences, `docs/reference/differences.md`."""

from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

PAGE = Path(__file__).resolve().parents[3] / "docs/reference/differences.md"


@dataclass(frozen=True)
class Justified:
    """One row: which scenarios, which place in their record."""

    scenarios: str
    place: str

    def covers(self, scenario: str, place: str) -> bool:
        """True when the row is about this difference."""
        return fnmatchcase(scenario, self.scenarios) and fnmatchcase(place, self.place)


def read(page: Path = PAGE) -> list[Justified]:
    """The rows of every table whose first two cells are patterns in backquotes."""
    rows = []
    for line in page.read_text().splitlines():
        cells = [cell.strip() for cell in line.strip("|").split(" | ")]
        if line.startswith("| `") and len(cells) >= 4:
            rows.append(Justified(cells[0].strip("` |"), cells[1].strip("`")))
    return rows
