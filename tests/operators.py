"""An operator at a shell: the console script, run as they run it."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

SCRIPT = Path(sys.executable).with_name("prepaid")
OURS = ("PREPAID_", "DATALAYER_")


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:  # JSON, its decimals exact
        """The one document on standard output."""
        return json.loads(self.out, parse_float=Decimal)

    @property
    def problem(self) -> Any:  # JSON
        """The one document on standard error."""
        return json.loads(self.err)


@dataclass
class Operator:
    """Somebody at a shell, with settings in the environment."""

    settings: dict[str, str] = field(default_factory=dict)

    @property
    def environment(self) -> dict[str, str]:
        bare = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
        return bare | self.settings

    def runs(self, *arguments: str) -> Ended:
        done = subprocess.run(
            [SCRIPT, *arguments],
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert "Traceback" not in done.stderr, done.stderr
        return Ended(done.returncode, done.stdout, done.stderr)

    def does(self, *arguments: str) -> Any:  # JSON
        """What a command that succeeds answers."""
        done = self.runs(*arguments, "--json")
        assert (done.code, done.err) == (0, ""), done
        return done.document
