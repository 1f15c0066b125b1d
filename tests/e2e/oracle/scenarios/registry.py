"""How the files of this folder list their scenarios."""

from collections.abc import Callable

from oracle.world import World

Scenario = Callable[[World], object]


class Registry(dict[str, Scenario]):
    """Scenarios by name."""

    def __call__(self, run: Scenario) -> Scenario:
        """Registers a function under its own name."""
        self[run.__name__.replace("_", "-")] = run
        return run

    def table(self, prefix: str, rows: dict, run: Callable) -> None:
        """Registers one scenario for each row, which `run` gets after the world."""
        for name, row in rows.items():
            self[f"{prefix}/{name}"] = lambda world, row=row: run(world, row)
