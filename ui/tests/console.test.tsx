import { QueryClientProvider } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { createRoot, type Root } from "react-dom/client";
import { afterEach, beforeEach, expect, test, vi } from "vitest";

/** What the service answers, by path; the seam is the transport. */
let answer: (path: string) => Response | Promise<Response>;
vi.stubGlobal("fetch", async (asked: Request | URL) => {
  const url = asked instanceof URL ? asked : new URL(asked.url);
  return answer(url.pathname.slice(url.pathname.indexOf("/api")));
});
const { newCache } = await import("../src/service/queries");
const { default: Console } = await import("../src/views/console/Console");
const { Shell } = await import("../src/parts/Shell");
const { ForOperators, NoAccount } = await import("../src/views/NotHere");

let root: Root;

beforeEach(() => {
  document.body.innerHTML = "<div id='page'></div>";
  root = createRoot(document.body.firstElementChild as HTMLElement);
});

afterEach(() => root.unmount());

let shown = 0;

/** Shows it afresh: what was known before is not known any more. */
function show(view: ReactNode): void {
  shown += 1;
  root.render(
    <QueryClientProvider key={shown} client={newCache()}>
      {view}
    </QueryClientProvider>,
  );
}

function at(path: string): ReactNode {
  return <Console place={{ path, query: new URLSearchParams() }} />;
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

const FORBIDDEN = { code: "forbidden", detail: "Only an operator can do this." };

const GIVEN = { kind: "purchase", grants: 0, credits: 0, remaining: 0 };
const TOTALS = { sold: [], given: [GIVEN], spent: 0, expired: 0, reversed: 0, outstanding: 0 };

const ACCOUNT = {
  uid: "u1",
  credits: 12.5,
  reserved: 2,
  entries: 1,
  created_at: "2027-01-01T00:00:00Z",
  handle: "ada",
  email: "ada@example.com",
  first_name: "Ada",
  last_name: "Lovelace",
};

const OFFER = {
  id: "1",
  account_uid: "u1",
  state: "credited",
  price_id: "price_1",
  credits: 50,
  price: { amount: 500, currency: "jpy" },
  paid: { amount: 550, currency: "jpy" },
  livemode: true,
  customer_id: "cus_1",
  session_id: "cs_1",
  payment_intent: "pi_1",
  created_at: "2027-01-01T00:00:00Z",
  expires_at: "2027-01-01T01:00:00Z",
  credited_at: "2027-01-01T00:05:00Z",
};

const LETTER = {
  event_id: "evt_1",
  type: "checkout.session.completed",
  verdict: "quarantined",
  why: "amount is 1, the checkout has 500",
  remedy: "Compare the session at Stripe with the checkout.",
  session_id: "cs_1",
  account_uid: "u1",
  at: "2027-01-01T00:00:00Z",
};

/** Each view: what it waits for, what it says when that is nothing, and when it is something. */
const VIEWS: [string, string, [object, string], [object, string[]]][] = [
  [
    "console",
    "the totals",
    [TOTALS, "Nothing has been sold or granted yet."],
    [
      {
        ...TOTALS,
        sold: [
          { currency: "jpy", livemode: true, checkouts: 2, credits: 100, amount: 1000, paid: 1100 },
        ],
        given: [{ ...GIVEN, grants: 2, credits: 100, remaining: 40.5 }],
        spent: 59.5,
        outstanding: 40.5,
      },
      ["40.5 credits", "59.5 credits", "JPY", "¥1,000", "¥1,100"],
    ],
  ],
  [
    "console/accounts",
    "the accounts",
    [{ accounts: [], next_after: null }, "There is no account yet"],
    [{ accounts: [ACCOUNT], next_after: "u1" }, ["Ada Lovelace", "12.5", "Show more"]],
  ],
  [
    "console/checkouts",
    "the checkouts",
    [{ checkouts: [], next_before: null }, "Nobody has begun to buy yet."],
    [{ checkouts: [OFFER], next_before: null }, ["credited", "¥500", "¥550", "cs_1"]],
  ],
  [
    "console/events",
    "the events",
    [{ events: [], next_before: null }, "No event about a checkout has come yet."],
    [
      { events: [LETTER], next_before: "1.evt_1" },
      ["in quarantine", LETTER.why, LETTER.remedy, "Grant by hand", "Show older"],
    ],
  ],
];

test.each(VIEWS)("%s has a face for each of what may be", async (path, what, none, some) => {
  let letGo = (_: Response) => {};
  const held = new Promise<Response>((resolve) => {
    letGo = resolve;
  });
  answer = () => held;
  show(at(path));
  await reads(`Loading ${what}`);
  letGo(json({ success: true, ...none[0] }));
  await reads(none[1]);
  answer = () => json(FORBIDDEN, 403);
  show(at(path));
  await reads("can't be shown now.", FORBIDDEN.detail);
  answer = () => json({ success: true, ...some[0] });
  show(at(path));
  await reads(...some[1]);
});

test("an account that nobody has is told of as such", async () => {
  answer = () => json({ code: "unknown_account", detail: "There is none." }, 404);
  show(at("console/accounts/nobody"));
  await reads("There is no account “nobody”.", "Search for another");
});

test("an event that never came is told of as such", async () => {
  answer = () => json({ code: "unknown_event", detail: "There is none." }, 404);
  show(at("console/events/evt_none"));
  await reads("There is no such event in the inbox.");
});

test("the doctor is asked when somebody wants it, and not before", async () => {
  let asked = 0;
  answer = () => {
    asked += 1;
    const signs = [
      { level: "ok", what: "The database answers.", remedy: "" },
      { level: "fault", what: "The product is archived.", remedy: "Activate it at Stripe." },
    ];
    return json({ success: true, healthy: false, at: "2027-01-01T00:00:00Z", signs });
  };
  show(at("console/doctor"));
  await reads("Look now");
  expect(asked).toBe(0);
  [...document.querySelectorAll("button")].find((one) => one.textContent === "Look now")?.click();
  await reads("There are faults", "The product is archived.", "What to do: Activate it at Stripe.");
  expect(asked).toBe(1);
  const said = document.body.textContent ?? "";
  expect(said.indexOf("archived")).toBeLessThan(said.indexOf("The database answers."));
});

test("nothing else of the console has an address", async () => {
  show(at("console/of/nothing"));
  await reads("There is nothing at this address.");
});

test.each([
  ["user", ["Overview", "Buy credits"], "Accounts"],
  ["admin", ["Totals", "Accounts", "Doctor"], "Buy credits"],
  ["service", [], "Accounts"],
] as const)("tabs lead a caller of scope %s to what they may see", async (scope, tabs, not) => {
  answer = () => json({ success: true, profile: { handle_s: "somebody" }, available: 1 });
  show(
    <Shell path="console" scope={scope}>
      the view
    </Shell>,
  );
  await reads("the view", ...tabs);
  expect(document.querySelector("nav")?.textContent).not.toContain(not);
});

test("who is in the wrong place is told so, and shown the way on where there is one", async () => {
  show(<NoAccount scope="service" />);
  await reads("This key is a program's");
  expect(document.querySelector("a")).toBeNull();
  show(<NoAccount scope="admin" />);
  await reads("You are here as an operator", "Open the console");
  show(<ForOperators scope="user" />);
  await reads("it opens with a key of scope admin", "Go to the overview");
});
