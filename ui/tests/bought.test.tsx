import { expect, test, vi } from "vitest";
import { AWAY, answer, json, press, reads, show } from "./shown";

const { default: Purchases } = await import("../src/views/Purchases");

const ONE = {
  id: "0190",
  session_id: "cs_test_1",
  state: "credited",
  price_id: "price_1",
  credits: 50,
  amount: 500,
  currency: "jpy",
  paid_amount: 500,
  paid_currency: "jpy",
  created_at: "2027-01-01T00:00:00Z",
  expires_at: "2027-01-01T01:00:00Z",
  credited_at: "2027-01-01T00:01:00Z",
};

const list = (...checkouts: object[]) => json({ success: true, checkouts, next_before: null });
const everything = new URLSearchParams();

test("purchases are loading, and then each says what was paid and how it stands", async () => {
  let letGo = (_: Response) => {};
  const held = new Promise<Response>((resolve) => {
    letGo = resolve;
  });
  answer((path) => (path.includes("sessions") ? held : json({ success: true, prices: [] })));
  show(<Purchases query={everything} />);
  await reads("Loading your purchases");
  letGo(list(ONE, { ...ONE, id: "0189", state: "failed", paid_amount: null, paid_currency: null }));
  await reads("Package of 50 credits");
  const cells = [...document.querySelectorAll("tbody tr")].map((row) => row.textContent);
  for (const told of ["¥500", "Paid, credits added"]) expect(cells[0]).toContain(told);
  for (const told of ["nothing", "Payment failed"]) expect(cells[1]).toContain(told);
  expect(document.querySelectorAll("tbody button")).toHaveLength(1); // the paid one's receipt
});

test("who has bought nothing is told so, and so is who filters everything away", async () => {
  answer(() => list());
  show(<Purchases query={everything} />);
  await reads("You have not bought anything yet.", "Buy credits");
  show(<Purchases query={new URLSearchParams("state=failed")} />);
  await reads("No purchase matches these filters.");
});

test("what is wrong is told in the service's words, and asked again on demand", async () => {
  answer(() => json(AWAY, 503));
  show(<Purchases query={everything} />);
  await reads("Your purchases can't be shown now.", AWAY.detail);
  answer(() => list(ONE));
  press("Try again");
  await reads("Package of 50 credits");
});

test("what isn't settled leads to the view that asks Stripe", async () => {
  answer(() => list({ ...ONE, state: "processing", paid_amount: null, paid_currency: null }));
  show(<Purchases query={everything} />);
  await reads("See where it stands");
  const link = [...document.querySelectorAll("a")].find(
    (one) => one.textContent === "See where it stands",
  );
  expect(link?.getAttribute("href")).toContain("buy/return?session_id=cs_test_1");
});

test("a receipt is asked for on demand, and its link can't reach this page", async () => {
  const opened = vi.spyOn(window, "open").mockReturnValue(null);
  const url = "https://pay.stripe.com/receipts/1";
  answer((path) =>
    path.endsWith("/receipt") ? json({ success: true, receipt_url: url }) : list(ONE),
  );
  show(<Purchases query={everything} />);
  await reads("Package of 50 credits");
  press("Receipt");
  await reads("Open the receipt");
  expect(opened).toHaveBeenCalledWith(url, "_blank", "noopener,noreferrer");
  const link = document.querySelector<HTMLAnchorElement>(`a[href="${url}"]`);
  expect([link?.target, link?.rel]).toEqual(["_blank", "noopener noreferrer"]);
});

test("a receipt that there isn't yet says what to do", async () => {
  const detail = "Stripe has not written the receipt yet; try again in a minute.";
  answer((path) =>
    path.endsWith("/receipt") ? json({ code: "unknown_receipt", detail }, 404) : list(ONE),
  );
  show(<Purchases query={everything} />);
  await reads("Package of 50 credits");
  press("Receipt");
  await reads(detail);
  expect(document.querySelector("[role=alert]")?.textContent).toBe(detail);
});
