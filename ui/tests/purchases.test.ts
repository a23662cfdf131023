import { expect, test } from "vitest";
import {
  chosenIn,
  packageNamed,
  paid,
  placeOfPurchases,
  queryOf,
  STATES,
  stateNamed,
} from "../src/purchases";
import type { Price, Purchase } from "../src/service/queries";

const ALL = { state: "", since: "", until: "" };

const ONE: Purchase = {
  id: "1",
  session_id: "cs_test_1",
  state: "credited",
  price_id: "price_1",
  credits: 50,
  amount: 500,
  currency: "usd",
  paid_amount: 600,
  paid_currency: "usd",
  created_at: "2027-01-01T00:00:00Z",
  expires_at: "2027-01-01T01:00:00Z",
  credited_at: "2027-01-01T00:01:00Z",
};

test("what is chosen stands in the address, and is found there again", () => {
  const chosen = { ...ALL, state: "credited", since: "2027-03-01" };
  const place = placeOfPurchases(chosen);
  expect(place).toBe("history/purchases?state=credited&since=2027-03-01");
  expect(chosenIn(new URL(place, "https://example.com/").searchParams)).toEqual(chosen);
  expect(placeOfPurchases(ALL)).toBe("history/purchases");
});

test("days are the reader's own, and what can't be meant is not asked", () => {
  const { state, since, until } = queryOf({
    state: "open",
    since: "2027-03-01",
    until: "2027-03-31",
  });
  expect(state).toEqual(["open"]);
  expect(since).toBe(new Date(2027, 2, 1).toISOString());
  expect(until).toBe(new Date(2027, 3, 1).toISOString());
  expect(queryOf({ state: "toString", since: "soon", until: "" })).toEqual({});
});

test.each([
  [600, "usd", "$6.00"],
  [500, "jpy", "¥500"],
  [5_000, "kwd", "KWD 5.000"],
])("%s of %s is told as the currency counts", (paid_amount, paid_currency, told) => {
  const text = paid({ ...ONE, paid_amount, paid_currency }, "en-US");
  expect(text.replace(/\s/g, " ")).toBe(told);
});

test("every state has words, and one that the page doesn't know is told as it is", () => {
  for (const [state, words] of Object.entries(STATES))
    expect(stateNamed({ ...ONE, state })).toBe(words);
  expect(stateNamed({ ...ONE, state: "refunded" })).toBe("refunded");
});

test.each([
  ["failed", "nothing"],
  ["expired", "nothing"],
  ["open", "not known yet"],
  ["processing", "not known yet"],
])("that nothing was paid is said of what is over alone: %s", (state, told) => {
  const one = { ...ONE, state, paid_amount: null, paid_currency: null };
  expect(paid(one)).toBe(told);
  expect(stateNamed(one)).not.toContain("yet");
});

test("a package has the name that it is sold under, or else its size", () => {
  const price = { id: "price_1", description: "Starter: 50 credits" } as Price;
  expect(packageNamed(ONE, [price])).toBe("Starter: 50 credits");
  expect(packageNamed(ONE, [{ ...price, id: "price_2" }])).toBe("Package of 50 credits");
  expect(packageNamed(ONE, [{ ...price, description: "" }])).toBe("Package of 50 credits");
});
