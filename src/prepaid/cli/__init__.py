"""The command line: `prepaid`."""

import sys

from prepaid.cli import commands, exits


def main() -> None:
    """Runs the command that was asked for."""
    try:
        commands.app()
    except Exception as error:
        code = exits.tell(error, as_json="--json" in sys.argv[1:])
        if code is None:
            raise
        sys.exit(code)
