import { QueryClientProvider } from "@tanstack/react-query";
import { createElement, type ReactNode } from "react";
import { createRoot, type Root } from "react-dom/client";
import { afterEach, beforeEach, expect, test, vi } from "vitest";

/** What the service answers, by path; the seam is the transport. */
let answer: (path: string) => Response | Promise<Response>;
vi.stubGlobal("fetch", async (asked: Request | URL) => {
  const url = asked instanceof URL ? asked : new URL(asked.url);
  return answer(url.pathname.slice(url.pathname.indexOf("/api")));
});
const { newCache } = await import("../src/service/queries");
const { forgetPending, notePending } = await import("../src/pending");
const { Buy } = await import("../src/views/Buy");
const { Door } = await import("../src/views/Door");
const { default: Returned } = await import("../src/views/Returned");
const { default: Keys } = await import("../src/views/Keys");

let root: Root;

beforeEach(() => {
  document.body.innerHTML = "<div id='page'></div>";
  root = createRoot(document.body.firstElementChild as HTMLElement);
});

afterEach(() => root.unmount());

function show(view: ReactNode): void {
  root.render(createElement(QueryClientProvider, { client: newCache() }, view));
}

async function reads(...words: string[]): Promise<void> {
  await vi.waitFor(
    () => {
      for (const one of words) expect(document.body.textContent).toContain(one);
    },
    { timeout: 30_000 },
  );
}

function json(told: object, status = 200): Response {
  const type = status < 400 ? "application/json" : "application/problem+json";
  return new Response(JSON.stringify(told), { status, headers: { "Content-Type": type } });
}

const AWAY = { code: "ledger_unavailable", detail: "The ledger is away for a moment." };

const PRICE = {
  id: "price_1",
  name: "50 credits",
  description: "50 credits",
  amount: 500,
  unit_amount: 500,
  currency: "jpy",
  credits: 50,
  transform_quantity: { divide_by: 50, round: "up" },
  tax_behavior: "exclusive",
  default: true,
};

test("the packages are loading, and then they are there in their own currency", async () => {
  let letGo = (_: Response) => {};
  const held = new Promise<Response>((resolve) => {
    letGo = resolve;
  });
  answer = () => held;
  show(<Buy />);
  await reads("Loading the packages");
  letGo(json({ success: true, prices: [PRICE] }));
  await reads("50 credits", "¥500", "¥10 for each credit");
  expect(document.querySelector("a[aria-label='Buy 50 credits for ¥500']")).not.toBeNull();
});

test("without packages the page says so", async () => {
  answer = () => json({ success: true, prices: [] });
  show(<Buy />);
  await reads("Nothing is on sale at the moment.");
});

test("what is wrong is told in the service's words, and asked again on demand", async () => {
  answer = () => json(AWAY, 503);
  show(<Buy />);
  await reads("The packages can't be shown now.", AWAY.detail);
  answer = () => json({ success: true, prices: [PRICE] });
  [...document.querySelectorAll("button")].find((one) => one.textContent === "Try again")?.click();
  await reads("50 credits");
});

test("a refusal that no retry changes is asked once", async () => {
  let asked = 0;
  answer = () => {
    asked += 1;
    return json({ code: "forbidden", detail: "That is not yours." }, 403);
  };
  show(<Keys />);
  await reads("Your keys can't be shown now.", "That is not yours.");
  expect(asked).toBe(1);
});

function checkout(state: string, expires_at = "2027-01-01T01:00:00Z"): Response {
  return json({
    success: true,
    id: "1",
    session_id: "cs_test_1",
    state,
    price_id: "price_1",
    credits: 50,
    amount: 500,
    currency: "usd",
    created_at: "2027-01-01T00:00:00Z",
    expires_at,
    credited_at: null,
  });
}

test.each([
  ["open", "This purchase is not paid yet.", "Go on to pay"],
  ["processing", "Your payment is being processed.", "You can close this page"],
  ["paid", "Paid: 50 credits are on their way.", "You can close this page"],
  ["failed", "The payment failed.", "Try again"],
  ["expired", "This checkout has expired.", "Start again"],
])("a purchase that is %s has its own face and a way on", async (state, face, way) => {
  answer = () => checkout(state);
  show(<Returned session="cs_test_1" />);
  await reads(face, way);
  expect(document.body.textContent).not.toContain("50 credits were added");
});

test("only the service's word that they were credited shows credits as added", async () => {
  answer = (path) =>
    path.includes("checkout") ? checkout("credited") : json({ available: 61.5, reservations: [] });
  show(<Returned session="cs_test_1" />);
  await reads("50 credits were added.", "You have 61.5 credits available now.");
});

test("a purchase of somebody else, or of nobody, is none", async () => {
  answer = () => json({ code: "unknown_checkout", detail: "There is none." }, 404);
  show(<Returned session="cs_test_other" />);
  await reads("You have no purchase at this address.");
});

test("a proxy that doesn't find the service says nothing of the purchase", async () => {
  answer = () => new Response("404 page not found", { status: 404 });
  show(<Returned session="cs_test_1" />);
  await reads("Your purchase can't be shown now.");
  expect(document.body.textContent).not.toContain("You have no purchase");
  answer = () => checkout("paid");
  await reads("Paid: 50 credits are on their way.");
}, 60_000);

test("what was paid long ago and hasn't come is late, and has a number to ask by", async () => {
  answer = () => checkout("paid", "2026-01-01T01:00:00Z");
  show(<Returned session="cs_test_1" />);
  await reads("Paid: 50 credits are late.", "Don't pay again.", "cs_test_1");
  expect(document.body.textContent).not.toContain("within seconds");
});

test("who has to sign in while paying is told that nothing is lost", async () => {
  show(<Door />);
  await reads("open this page from the platform");
  expect(document.body.textContent).not.toContain("don't pay again");
  notePending("cs_test_1");
  await reads("nothing is lost, so don't pay again");
  forgetPending("cs_test_1");
});

test("what is wrong stands still while it is asked again, and is told once", async () => {
  answer = () => json(AWAY, 503);
  show(<Returned session="cs_test_1" />);
  await reads("Your purchase can't be shown now.");
  const told = document.querySelector("[role=alert]");
  let asked = 0;
  answer = () => {
    asked += 1;
    return json(AWAY, 503);
  };
  await vi.waitFor(() => expect(asked).toBeGreaterThan(1), { timeout: 30_000 });
  expect(document.querySelector("[role=alert]")).toBe(told);
  answer = () => checkout("paid");
  await reads("Paid: 50 credits are on their way.");
}, 60_000);
