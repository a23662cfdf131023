"""What is written down where no terminal reads it: JSON, a line each, in ASCII."""

import json
import subprocess
import sys
from uuid import UUID

WRITE = r"""
import structlog
from uuid import UUID
from prepaid.core.amounts import Credits
from prepaid.log import configure
configure("info")
log = structlog.get_logger()
log.debug("not told")
log.info("bought", account="ada", credits=Credits.of(5), id=UUID(int=1), nothing=None)
log.info("asked", path="/\x9b31m\u2028é", half="\ud800")
try:
    raise ValueError("broken")
except ValueError:
    log.exception("failed")
"""


def test_each_line_is_json_in_ascii() -> None:
    command = [sys.executable, "-W", "error", "-c", WRITE]
    done = subprocess.run(command, check=True, capture_output=True, timeout=60)
    bought, asked, failed = map(json.loads, done.stderr.decode("ascii").splitlines())
    assert bought.items() >= {"event": "bought", "level": "info", "account": "ada"}.items()
    assert (bought["id"], bought["nothing"]) == (str(UUID(int=1)), None)
    assert (asked["path"], asked["half"]) == ("/\x9b31m\u2028é", "\ud800")
    assert "ValueError: broken" in failed["exception"]
