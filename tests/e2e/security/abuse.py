"""Measures what clients that do not behave do to one that does.

    LONGTIDE_E2E_SERVER=target/release/longtide PYTHONPATH=tests/e2e:tests/e2e/security \\
        python tests/e2e/security/abuse.py [--junk 1000000]

The junk comes from sixteen addresses, each of which sends as much as the server takes from one; a
million requests take some two minutes. Fails when the well-behaved client's p99 is above twice its
idle value, any of its calls fails, or the server's memory grows above a bound.
Needs two processors: the attackers have one of their own.
"""

import argparse
import multiprocessing
import os
import tempfile
import time
from pathlib import Path

from temporalio.api.workflowservice.v1 import request_response_pb2 as messages
from test_abuse import bearer, settings

from harness import abuse
from harness.raw import Raw
from harness.secured import SecuredServer
from harness.tokens import SigningKey, publish

CALLS = 3000

ATTACKERS = {max(os.sched_getaffinity(0))}
"""The processor of the attackers, who would have machines of their own: the server and its client
have the others. Two programs that only count to a billion, and ask nobody anything, cost a client
five times its idle p99 when they share its processors."""

GROWTH_BYTES_MAX = 256 * 1024 * 1024
"""How much memory an attack may cost at its height."""


def percentile_99(
    server: SecuredServer, token: str, attacker: multiprocessing.Process | None = None
) -> tuple[float, int]:
    """Calls one after the other while the attacker lives; the p99 in seconds, and how many."""
    raw, times = Raw(server.address), []
    request = messages.DescribeNamespaceRequest(namespace="default")
    while len(times) < CALLS or (attacker and attacker.is_alive()):
        began = time.perf_counter()
        raw.workflow.DescribeNamespace(request, timeout=30, metadata=bearer(token))
        times.append(time.perf_counter() - began)
    raw.channel.close()
    times.sort()
    return times[int(len(times) * 0.99)], len(times)


def memory(server: SecuredServer, name: str) -> int:
    """The server's resident memory: `VmRSS` now, `VmHWM` at its height."""
    lines = Path(f"/proc/{server.process.pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(name))


def sends_junk(address: str, count: int, token: str = "") -> None:
    os.sched_setaffinity(0, ATTACKERS)
    began = time.monotonic()
    told = abuse.junk(address, count, token, abuse.SOURCES)
    print(
        f"  {told.sent} requests in {time.monotonic() - began:.0f} s over {told.connections} "
        f"connections, {told.answered} answered; {told.turned_away} connections turned away",
        flush=True,
    )


def holds(what: str, address: str, count: int) -> None:
    os.sched_setaffinity(0, ATTACKERS)
    kind = abuse.half_open if what == "half-open" else abuse.unfinished
    with kind(address, count, abuse.SOURCES) as connections:
        left = abuse.until_over(connections, 40, answered=True)
        print(f"  {len(connections)} connections, {left} of them left at the end", flush=True)


def main() -> int:
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--junk", type=int, default=1_000_000)
    words.add_argument("--connections", type=int, default=2000)
    asked = words.parse_args()
    os.sched_setaffinity(0, os.sched_getaffinity(0) - ATTACKERS)
    folder = Path(tempfile.mkdtemp(prefix="abuse-"))
    key = SigningKey(folder, "first")
    publish(folder / "keys.json", key)
    failed = False
    with SecuredServer(folder / "server", settings(folder)) as server:
        token = key.token("default:read")
        before = memory(server, "VmRSS")
        forged = SigningKey(folder, "forged")
        forged.kid = key.kid
        bad = forged.token("default:admin")
        attacks = {
            f"{asked.junk} junk requests": (sends_junk, (server.address, asked.junk)),
            f"{asked.junk // 10} forged tokens": (
                sends_junk,
                (server.address, asked.junk // 10, bad),
            ),
            f"{asked.connections} half-open connections": (
                holds,
                ("half-open", server.address, asked.connections),
            ),
            f"{asked.connections} unfinished requests": (
                holds,
                ("unfinished", server.address, asked.connections),
            ),
        }
        for name, (attack, arguments) in attacks.items():
            # Before and after each: what else the machine does changes meanwhile.
            before_it, _ = percentile_99(server, token)
            attacker = multiprocessing.Process(target=attack, args=arguments)
            attacker.start()
            found, calls = percentile_99(server, token, attacker)
            attacker.join()
            after_it, _ = percentile_99(server, token)
            idle = max(before_it, after_it)
            grown = memory(server, "VmHWM") - before
            failed |= found > 2 * idle or grown > GROWTH_BYTES_MAX
            print(
                f"{name}: p99 {found * 1000:.2f} ms over {calls} calls; idle, "
                f"{before_it * 1000:.2f} ms before and {after_it * 1000:.2f} ms after: "
                f"{found / idle:.2f} times idle; {grown / 1048576:.1f} MiB more at the height; "
                f"{os.getloadavg()[0]:.1f} processes wait",
                flush=True,
            )
        lines = server.log.read_text().count("\n")
        print(f"{lines} lines in the log")
    print("failed" if failed else "passed")
    return int(failed)


if __name__ == "__main__":
    raise SystemExit(main())
