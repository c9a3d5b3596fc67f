"""Commands for a person to run in a POSIX shell.

Decides how a name from Azure is written in a command: quoted where a shell would read more than a name in it, because
names can have blanks, quotes, parentheses and `$`. Does not know any command.
"""

from __future__ import annotations

import shlex


def command(*words: str) -> str:
    """One command line from its words; the shell gives exactly these words to the program.

    A value that begins with `-` would be read as an option: write such a value as `--option=value`.
    """
    return shlex.join(words)
