"""`python -m servicekit.run COMMAND...`: a worker or command of the monolith, with all hooks set.

COMMAND is as the monolith writes it: `python -m package.worker`, `python script.py`, or the name of
an installed script such as `flask --app x command`. It runs in this very process.
"""

from __future__ import annotations

import argparse
import os
import runpy
import shutil
import sys
from typing import List, Optional, Sequence

from servicekit import frameworks, lease, logs
from servicekit import sqlalchemy as database
from servicekit.errors import DependencyUnavailable


def run(command: Sequence[str]) -> None:
    """Become `command`, as if this process had been started with it; SystemExit is its own."""
    first, rest = command[0], list(command[1:])
    if os.path.basename(first).startswith("python"):
        _python(rest)
        return
    if first.endswith(".py") and os.path.exists(first):
        _script(first, rest)
        return
    found = shutil.which(first)
    if found is None:
        raise SystemExit("servicekit.run: no such command: %s" % first)
    with open(found, "rb") as stream:
        # Where an environment may move, `#!/bin/sh` starts the Python of the script's own folder.
        if b"python" not in stream.readline() + stream.readline():
            raise SystemExit("servicekit.run: %s is no Python script" % found)
    _script(found, rest)


def _python(arguments: List[str]) -> None:
    while arguments and arguments[0] in ("-u", "-B", "-O", "-E", "-s"):
        del arguments[0]
    if arguments[:1] == ["-m"] and len(arguments) > 1:
        sys.argv = arguments[1:]
        sys.path.insert(0, os.getcwd())
        runpy.run_module(arguments[1], run_name="__main__", alter_sys=True)
    elif arguments[:1] == ["-c"] and len(arguments) > 1:
        sys.argv = ["-c"] + arguments[2:]
        sys.path.insert(0, os.getcwd())
        exec(compile(arguments[1], "<string>", "exec"), {"__name__": "__main__"})
    elif arguments:
        _script(arguments[0], arguments[1:])
    else:
        raise SystemExit("servicekit.run: python needs a module or a script")


def _script(path: str, arguments: List[str]) -> None:
    sys.argv = [path] + arguments
    if path.endswith(".py"):
        sys.path.insert(0, os.path.dirname(os.path.abspath(path)))
    runpy.run_path(path, run_name="__main__")


def main(arguments: Optional[List[str]] = None) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m servicekit.run", description=__doc__)
    parser.add_argument("--only-one", metavar="NAME", help="wait until no other process has NAME")
    parser.add_argument("command", nargs=argparse.REMAINDER)
    chosen = parser.parse_args(arguments)
    command = chosen.command[1:] if chosen.command[:1] == ["--"] else chosen.command
    if not command:
        parser.error("a command is needed")
    logs.configure()
    database.install()
    if chosen.only_one:
        lease.hold("process " + chosen.only_one)
    frameworks.glue().watch()
    try:
        run(command)
    except DependencyUnavailable as error:
        logs.logger("run").error("dependency unavailable", why=str(error))
        raise SystemExit(os.EX_TEMPFAIL) from error


if __name__ == "__main__":
    main()
