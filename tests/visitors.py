"""Somebody before the page: where they click, what they type, and what they see."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from uuid import uuid4

from playwright.async_api import BrowserContext, FrameLocator, Locator, Page, Route, expect

from holders import RESERVATIONS, USAGE
from local_browser import Watch
from local_service import SESSIONS, House, token
from local_stripe import Json, wait_for

GOOD = "4242424242424242"
DECLINED = "4000000000000002"
TOO_POOR = "4000000000009995"
ASKS = "4000002500003155"

PATIENCE_SECONDS = 30
"""How long anything is waited for that has to come, and needn't come soon."""

FORM = 'iframe[title^="Secure payment form"]'


NOTE_A_PRESS = 'addEventListener("click", () => { window.hasPressed = true; }, true);'

Answering = Callable[[Route], Awaitable[None]]


@dataclass
class Visitor:
    """A user of the platform, with a browser of their own and a tab that they look at."""

    context: BrowserContext
    page: Page
    shop: House
    packages: dict[int, str]
    uid: str
    watch: Watch = field(repr=False)

    @property
    def token(self) -> str:
        """What the platform hands over for them."""
        return token(self.uid, given_name="Ada", family_name="Lovelace")

    @property
    def form(self) -> FrameLocator:
        """Stripe's form, in its frame."""
        return self.page.frame_locator(FORM)

    async def come(self, place: str = "") -> None:
        """They follow the platform's link to a place of the page."""
        path = f"/credits/{place}".rstrip("/")
        await self.page.goto(f"{self.shop.url}{path}#token={self.token}")

    async def operate(self, place: str = "console") -> None:
        """They come as somebody who operates the service."""
        await self.page.goto(f"{self.shop.url}/credits/{place}#token={self.shop.operator}")

    async def come_in_new_tab(self, place: str = "") -> None:
        """The same in a tab that they now look at."""
        self.page = await self.context.new_page()
        await self.come(place)

    async def choose(self, credits: int = 50) -> None:  # noqa: A002
        """They look at the packages, and take one: Stripe's form is there."""
        await self.come("buy")
        await self.page.get_by_role("link", name=f"Buy {credits} credits for").click()
        await expect(self.form.get_by_label("Email")).to_be_visible()

    async def pay(self, card: str = GOOD) -> None:
        """They fill in the form, and send it."""
        await self.form.get_by_label("Email").fill("ada@example.com")
        await self.form.get_by_label("Card number").fill(card)
        await self.form.get_by_label("Expiry date").fill("12 / 34")
        await self.form.get_by_label("Security code").fill("123")
        await self.send()

    async def pay_by_bank(self, what_happens: str) -> None:
        """They pay by a bank debit, of which a bank decides later: "succeeds" or "fails"."""
        await self.form.get_by_label("Email").fill("ada@example.com")
        await self.form.get_by_label("US bank account").check()
        await self.form.get_by_label("What the bank does").select_option(what_happens)
        await self.send()

    async def send(self) -> None:
        """They press the form's button."""
        await self.form.get_by_role("button", name="Pay $").click()

    async def press(self, name: str) -> None:
        """They press a button of the page, or follow a link that looks like one."""
        button = self.page.get_by_role("button", name=name, exact=True)
        link = self.page.get_by_role("main").get_by_role("link", name=name, exact=True)
        await button.or_(link).click()

    def told(self, sentence: str) -> Locator:
        """A sentence in the view."""
        return self.page.get_by_role("main").get_by_text(sentence)

    async def reads(self, sentence: str, seconds: float = PATIENCE_SECONDS) -> None:
        """Within so many seconds the view says so."""
        await expect(self.told(sentence).first).to_be_visible(timeout=seconds * 1000)

    async def notes(self, fact: str, root: str = "document") -> None:
        """The page notes when a fact (an expression) is first seen to be true below a node: that
        takes nobody's time but the page's own."""
        await self.page.evaluate(f"""() => {{
            window.seenAt = new Promise((tell) => {{
                const look = () => {{ if ({fact}) tell(Date.now() / 1000); }};
                const all = {{ subtree: true, childList: true, characterData: true }};
                new MutationObserver(look).observe({root}, {{ ...all, attributes: true }});
            }});
        }}""")

    async def noted(self) -> float:
        """When that was, in seconds since 1970."""
        at: float = await self.page.evaluate("window.seenAt")
        return at

    async def troubled(self, asked: str, answer: Answering) -> None:
        """What they ask is answered so until they press something: it can't come right by itself
        before."""

        async def until_pressed(route: Route) -> None:
            if await self.page.evaluate("window.hasPressed === true"):
                await route.continue_()
            else:
                await answer(route)

        await self.page.add_init_script(NOTE_A_PRESS)
        await self.page.route(asked, until_pressed)

    async def near(self, title: str) -> None:
        """They go down to the charts, which come when somebody is near, until there is one."""
        await self.page.locator(".charts").scroll_into_view_if_needed()
        await expect(self.page.get_by_role("heading", name=title)).to_be_visible()

    async def has(self, credits: int, seconds: float = PATIENCE_SECONDS) -> None:  # noqa: A002
        """Within so many seconds the page shows that they have so many available."""
        available = self.page.get_by_test_id("available")
        await expect(available).to_have_text(f"{credits} credits", timeout=seconds * 1000)

    def owns(self) -> object:
        """What the service says that they have."""
        return self.shop.credits(self.token)

    def session(self) -> str:
        """The checkout that they opened last, as Stripe calls it."""
        sessions = self.shop.stripe.ask("GET", "/v1/checkout/sessions", limit=100)["data"]
        return str(next(s["id"] for s in sessions if s["client_reference_id"] == self.uid))

    def bought(self, credits: int) -> str:  # noqa: A002
        """They have bought a package before; the checkout, as Stripe calls it."""
        session = self.opened(credits)
        self.shop.stripe.pay(session)
        wait_for(lambda: self.owns() != 0)
        return session

    def waits_for(self, session: str, state: str) -> None:
        """Until the service has been told how a checkout of theirs stands."""
        path = f"{SESSIONS}s?state={state}"

        def told() -> list[str]:
            return [one["session_id"] for one in self.shop.get(path, self.token)["checkouts"]]

        wait_for(lambda: session in told())

    def opened(self, credits: int = 50) -> str:  # noqa: A002
        """They have opened a checkout before, and not paid."""
        back = f"{self.shop.url}/credits/buy/return?session_id={{CHECKOUT_SESSION_ID}}"
        return str(self.shop.open(self.token, self.packages[credits], back)["session_id"])

    def put_aside(self) -> Json:
        """They have paid, and Stripe has told of it once more with another amount: the event, which
        is in quarantine now."""
        session = self.bought(50)
        event = self.shop.stripe.event(session)
        event["id"] = f"evt_{uuid4().hex}"
        event["data"]["object"]["amount_subtotal"] = 1
        assert self.shop.verdict(event) == "quarantined"
        return event

    def granted(self, credits: float, **more: object) -> None:  # noqa: A002
        """An operator has granted them credits."""
        self.owns()  # now they have an account
        asked = {"credits": credits, "key": uuid4().hex, "reason": "welcome"} | more
        path = f"/api/iam/v1/accounts/{self.uid}/grants"
        self.shop.post(path, self.shop.operator, asked, 201)

    def spends(self, name: str, credits: float) -> None:  # noqa: A002
        """They have spent so much on something."""
        asked = {"credits": credits, "key": uuid4().hex, "resource": name, "resource_type": "job"}
        self.shop.post(f"{USAGE}/charges", self.token, asked, 201)

    def runs(self, name: str, rate: float, **more: object) -> Json:
        """Something of theirs runs at so many credits a second; the reservation."""
        asked = {"resource": name, "resource_given_name": name, "burning_rate": rate}
        told = self.shop.post(RESERVATIONS, self.token, asked | {"key": uuid4().hex} | more, 201)
        one: Json = told["reservation"]
        self.ask_of(one, "heartbeat")
        return one

    def used(self, one: Json) -> float:
        """What it has cost by now."""
        told = self.shop.get(f"{RESERVATIONS}/{one['id']}", self.token)
        return float(told["reservation"]["used"])

    def burns(self, one: Json, rate: float) -> None:
        """It goes on at another rate."""
        path = f"{RESERVATIONS}/{one['id']}/burning-rate"
        answer = self.shop.ask("PUT", path, self.token, json={"burning_rate": rate})
        assert answer.is_success, answer.text

    def ask_of(self, one: Json, what: str) -> None:
        """Its holder says that it lives, or that it has ended."""
        answer = self.shop.ask("POST", f"{RESERVATIONS}/{one['id']}/{what}", self.token)
        assert answer.is_success, answer.text
