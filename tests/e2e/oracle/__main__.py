"""Runs the scenarios on both servers and prints where they differ.

Usage: python -m oracle [--jobs N] [--report FILE] [PATTERN]...

Longtide is what LONGTIDE_E2E_SERVER names, the reference what LONGTIDE_E2E_REFERENCE names.
"""

import argparse
import os
import sys
import traceback
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from harness.raw import Raw
from harness.server import Server
from oracle import differences
from oracle.compare import Difference, compare
from oracle.scenarios import SCENARIOS
from oracle.world import World

JOBS = 8

ATTEMPTS = 3
"""How often a scenario that differs is played: a busy machine is late, a real difference stays."""

JOBS_AGAIN = 2
"""How many play at once when they are played again."""

FREQUENT_MAX = 40
"""How many places the summary names."""


@dataclass
class Outcome:
    """What one scenario showed."""

    name: str
    different: list[Difference] = field(default_factory=list)
    justified: list[Difference] = field(default_factory=list)
    unimplemented: set[str] = field(default_factory=set)

    @property
    def verdict(self) -> str:
        """The one word for it."""
        if self.unimplemented:
            return "not built"
        if self.different:
            return "different"
        return "justified" if self.justified else "equal"


def main() -> int:
    """Compares everything; the exit code is 1 when a difference is not justified."""
    arguments = _arguments()
    chosen = {name: run for name, run in SCENARIOS.items() if _matches(name, arguments.patterns)}
    rows = differences.read()
    with _server("LONGTIDE_E2E_SERVER") as longtide, _server("LONGTIDE_E2E_REFERENCE") as reference:
        raws = Raw(longtide.address), Raw(reference.address)
        outcomes = _play(chosen, raws, rows, arguments.jobs)
        for _ in range(1, ATTEMPTS):
            again = {
                name: chosen[name] for name, one in outcomes.items() if one.verdict == "different"
            }
            outcomes |= _play(again, raws, rows, JOBS_AGAIN)
    outcomes = list(outcomes.values())
    text = _report(outcomes)
    if arguments.report:
        with open(arguments.report, "w") as report:
            report.write(text + "\n")
    print(text)
    return int(any(outcome.verdict == "different" for outcome in outcomes))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m oracle")
    parser.add_argument("patterns", nargs="*", help="names of scenarios, with * and ?")
    parser.add_argument("--jobs", type=int, default=JOBS)
    parser.add_argument("--report", help="a file for the same text")
    return parser.parse_args()


def _matches(name: str, patterns: list[str]) -> bool:
    return not patterns or any(fnmatchcase(name, pattern) for pattern in patterns)


def _server(variable: str) -> Server:
    path = os.environ.get(variable)
    if not path:
        sys.exit(f"{variable} must name the server's executable")
    return Server(program=path)


def _play(chosen: dict, raws: tuple[Raw, Raw], rows: list, jobs: int) -> dict[str, Outcome]:
    with ThreadPoolExecutor(jobs) as pool, ThreadPoolExecutor(jobs) as both:
        played = pool.map(lambda name: _outcome(name, chosen[name], raws, both, rows), chosen)
        return dict(zip(chosen, played, strict=True))


def _outcome(name, scenario, raws, pool, rows) -> Outcome:
    theirs = pool.submit(_record, scenario, raws[1])
    ours = _record(scenario, raws[0])
    theirs = theirs.result()
    outcome = Outcome(name, unimplemented=ours.unimplemented - theirs.unimplemented)
    for difference in compare(ours.record, theirs.record):
        justified = any(row.covers(name, difference.place) for row in rows)
        (outcome.justified if justified else outcome.different).append(difference)
    return outcome


def _record(scenario, raw: Raw) -> World:
    world = World(raw)
    try:
        scenario(world)
    except Exception:
        last = traceback.format_exc(limit=-1).strip().splitlines()[-1]
        world.record.append(("the scenario broke off", last))
    world.finish_record()
    return world


def _report(outcomes: list[Outcome]) -> str:
    lines = []
    for outcome in outcomes:
        if outcome.verdict == "equal":
            continue
        lines.append(f"{outcome.verdict}: {outcome.name}")
        if outcome.unimplemented:
            lines.append(f"    answers UNIMPLEMENTED: {', '.join(sorted(outcome.unimplemented))}")
        elif outcome.different:
            lines += [f"    {difference}" for difference in outcome.different]
    places = Counter(d.pattern for outcome in outcomes for d in outcome.different)
    lines += [f"{count} times: {place}" for place, count in places.most_common(FREQUENT_MAX)]
    verdicts = [outcome.verdict for outcome in outcomes]
    counts = [
        f"{verdicts.count(verdict)} {verdict}"
        for verdict in ("equal", "justified", "different", "not built")
    ]
    lines.append(f"{len(outcomes)} scenarios compared: {', '.join(counts)}")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
