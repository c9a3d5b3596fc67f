"""The command line of a tool: help, one line for wrong arguments, one line for Ctrl-C.

Decides the form of help and of errors. Does not know any tool's arguments.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Callable, Sequence
from typing import NoReturn


class Parser(argparse.ArgumentParser):
    """Parses the arguments of `python -m tools.<name>`; wrong ones end in one line on stderr and exit code 2."""

    def __init__(self, name: str, description: str, *, reads: str = "") -> None:
        """`reads` names the environment variables of the command, for its help."""
        super().__init__(
            prog=f"python -m tools.{name}",
            description=description,
            epilog=f"Environment variables: {reads}." if reads else None,
        )

    def error(self, message: str) -> NoReturn:
        """Exit with code 2 and `message`."""
        self.exit(2, f"{self.prog}: {message}; --help shows what it takes\n")


def positive(text: str) -> float:
    """A number greater than 0, for `type` of an argument."""
    try:
        number = float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text} is not a number") from None
    if not 0 < number < math.inf:
        raise argparse.ArgumentTypeError(f"{text} is not greater than 0 and finite")
    return number


def run_command(main: Callable[[Sequence[str]], int]) -> int:
    """The exit code of `main` with the arguments of this process; 130 after Ctrl-C."""
    try:
        return main(sys.argv[1:])
    except KeyboardInterrupt:
        print("stopped by Ctrl-C", file=sys.stderr)
        return 130
