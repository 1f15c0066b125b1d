"""Every command and every option of the reference's command line is here, too."""

import re
import subprocess
from concurrent.futures import ThreadPoolExecutor

import pytest

from harness.command_line import REFERENCE

WORKERS = 4

IN_SUBCOMMANDS_ONLY = {"completion"}
"""Commands whose subcommands are arguments here: `completion bash` is the same line."""

OPTION = re.compile(r"^\s+(?:(-\w), )?\s*(--[a-z][a-z0-9-]*)", re.MULTILINE)
COMMAND = re.compile(r"^  ([a-z][a-z0-9-]*)\s", re.MULTILINE)


def printed(program: str, *words: str) -> str:
    return subprocess.run([program, *words], capture_output=True, text=True, timeout=30).stdout


def options(text: str) -> dict[str, str]:
    """Names of options with their short forms."""
    # Above them, the reference has examples.
    text = text.partition("\nFlags:\n")[2] or text.partition("ptions:\n")[2]
    found = {long: short for short, long in OPTION.findall(text)}
    found.pop("--help", None)
    return found


def subcommands(text: str, heading: str) -> list[str]:
    section = re.search(rf"^{heading}:\n((?:(?:  .*)?\n)+)", text, re.MULTILINE)
    names = COMMAND.findall(section.group(1)) if section else []
    return [name for name in names if name not in ("help", "options")]


def tree(program: str, heading: str, skip: set[str]) -> dict[tuple[str, ...], dict[str, str]]:
    """All commands of a program with their options."""
    found, level = {}, [()]
    with ThreadPoolExecutor(WORKERS) as pool:
        while level:
            texts = list(pool.map(lambda words: printed(program, *words, "--help"), level))
            next_level = []
            for words, text in zip(level, texts, strict=True):
                found[words] = options(text)
                below = [(*words, name) for name in subcommands(text, heading)]
                next_level += [words for words in below if " ".join(words) not in skip]
            level = next_level
    return found


def inherited() -> list[dict[str, str]]:
    """The options that all commands have, and those of all that talk to a server."""
    parts = printed(str(REFERENCE), "options").split("\nConnection options\n")
    found = [options("\nFlags:\n" + part) for part in parts]
    assert len(found) == 2 and all(len(part) > 10 for part in found), found
    return found


# Hundreds of programs are started.
@pytest.mark.timeout(300)
def test_all_commands_and_options_are_here(program: str):
    theirs = tree(str(REFERENCE), "Available Commands", IN_SUBCOMMANDS_ONLY)
    assert len(theirs) > 100
    ours = tree(program, "Commands", set())
    everywhere, of_clients = inherited()
    missing = []
    for words, wanted in theirs.items():
        name = " ".join(words)
        if words not in ours:
            missing.append(name)
            continue
        # What a server is started with is no business of clients.
        wanted = dict(wanted)
        is_leaf = not any(other[:-1] == words for other in theirs if other)
        if is_leaf and words[:1] not in ((), ("server",), ("options",)):
            wanted |= everywhere
            if words[0] not in ("config", "env"):
                wanted |= of_clients
        for long, short in wanted.items():
            if long not in ours[words]:
                missing.append(f"{name} {long}")
            elif short and ours[words][long] != short:
                missing.append(f"{name} {short} for {long}")
    assert missing == []
