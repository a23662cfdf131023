"""How every view looks to everybody: on a phone, in the dark, and to who can't see it."""

import pytest

from looks import PHONE, is_dark, too_wide, violations
from views import VIEWS, Show
from visitors import Visitor

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest.mark.parametrize("show", VIEWS.values(), ids=VIEWS)
async def test_a_view_fits_a_phone_and_axe_finds_nothing_by_day_or_night(
    visitor: Visitor, show: Show
) -> None:
    await visitor.page.set_viewport_size(PHONE)
    await show(visitor)
    assert await too_wide(visitor.page) == []
    for scheme in ("light", "dark"):
        await visitor.page.emulate_media(color_scheme=scheme)
        background = await visitor.page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert is_dark(background) == (scheme == "dark"), background
        for frame in visitor.page.frames:
            assert await violations(frame) == [], scheme
