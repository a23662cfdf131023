"""The command line: `prepaid`."""

import sys

from prepaid.cli import commands, exits


def main() -> None:
    """Runs the command that was asked for."""
    if not all(map(str.isprintable, sys.argv)):
        print("An argument has characters that are not printed, or is not UTF-8.", file=sys.stderr)
        sys.exit(exits.Exit.USAGE)
    try:
        commands.app()
    except Exception as error:
        code = exits.tell(error, as_json="--json" in sys.argv[1:])
        if code is None:
            raise
        sys.exit(code)
