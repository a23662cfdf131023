"""How every view looks to everybody: on a phone, in the dark, and to who can't see it."""

from typing import Any

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.async_api import Frame, ViewportSize

from views import VIEWS, Show
from visitors import Visitor

pytestmark = pytest.mark.asyncio(loop_scope="session")

PHONE: ViewportSize = {"width": 360, "height": 740}

RULES = {"resultTypes": ["violations"], "iframes": False}
"""Each frame is looked at by itself: they don't let each other in."""


AT_REST = """
Promise.allSettled(
    document.getAnimations()
        .filter(one => one.effect.getComputedTiming().endTime !== Infinity)
        .map(one => one.finished)
)
"""
"""Until every colour has become what it is to be: buttons fade from one scheme to the other."""


@pytest.mark.parametrize("show", VIEWS.values(), ids=VIEWS)
async def test_a_view_fits_a_phone_and_axe_finds_nothing_by_day_or_night(
    visitor: Visitor, show: Show
) -> None:
    await visitor.page.set_viewport_size(PHONE)
    await show(visitor)
    assert await too_wide(visitor) == []
    for scheme in ("light", "dark"):
        await visitor.page.emulate_media(color_scheme=scheme)
        background = await visitor.page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert is_dark(background) == (scheme == "dark"), background
        for frame in visitor.page.frames:
            assert await violations(frame) == [], scheme


async def too_wide(visitor: Visitor) -> list[int]:
    """The widths of frames whose content doesn't fit; a page that scrolls sideways has one."""
    widths = [
        await frame.evaluate("[document.documentElement.scrollWidth, window.innerWidth]")
        for frame in visitor.page.frames
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
