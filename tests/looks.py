"""How a page looks to a machine: what axe finds, what doesn't fit, and whether it is dark."""

from typing import Any

from axe_playwright_python.base import AXE_SCRIPT
from playwright.async_api import Frame, Page, ViewportSize

PHONE: ViewportSize = {"width": 360, "height": 740}

RULES = {"resultTypes": ["violations"], "iframes": False}
"""Each frame is looked at by itself: they don't let each other in."""


AT_REST = """
Promise.allSettled(
    document.getAnimations()
        .filter(one => one.timeline === document.timeline)
        .filter(one => one.effect.getComputedTiming().endTime !== Infinity)
        .map(one => one.finished)
)
"""
"""Until every colour has become what it is to be: buttons fade from one scheme to the other. What
moves with scrolling, as in a dialog, doesn't move by itself."""


async def too_wide(page: Page) -> list[int]:
    """The widths of frames whose content doesn't fit; a page that scrolls sideways has one."""
    widths = [
        await frame.evaluate("[document.documentElement.scrollWidth, window.innerWidth]")
        for frame in page.frames
    ]
    return [content for content, window in widths if content > window]


def is_dark(colour: str) -> bool:
    """Whether a colour such as "rgb(13, 17, 23)" is nearer to black than to white."""
    red, green, blue = (int(part) for part in colour.strip("rgba()").split(",")[:3])
    return red + green + blue < 3 * 128


async def violations(frame: Frame) -> list[str]:
    """What axe finds wrong in a frame, and where."""
    await frame.evaluate(AT_REST)
    await frame.evaluate(AXE_SCRIPT)
    found: dict[str, Any] = await frame.evaluate("rules => axe.run(document, rules)", RULES)
    return [
        f"{one['id']}: {one['help']}: {node['html']}"
        for one in found["violations"]
        for node in one["nodes"]
    ]
