import { expect, test } from "vitest";
import { chosenIn, kindNamed, placeOfHistory, queryOf, wordsOf } from "../src/history";

const ALL = { kind: "", since: "", until: "", resource: "" };

test("what is chosen stands in the address, and is found there again", () => {
  const chosen = { ...ALL, kind: "charge", resource: "kernel 1&2" };
  const place = placeOfHistory(chosen);
  expect(place).toBe("history?kind=charge&resource=kernel+1%262");
  expect(chosenIn(new URL(place, "https://example.com/").searchParams)).toEqual(chosen);
  expect(placeOfHistory(ALL)).toBe("history");
  expect(placeOfHistory(chosen, "console/accounts/ada")).toContain(
    "console/accounts/ada?kind=charge",
  );
});

test("days are the reader's own, and the last one is meant whole", () => {
  const { since, until } = queryOf({ ...ALL, since: "2027-03-01", until: "2027-03-31" });
  expect(since).toBe(new Date(2027, 2, 1).toISOString());
  expect(until).toBe(new Date(2027, 3, 1).toISOString());
});

test("what can't be meant is not asked", () => {
  expect(queryOf({ ...ALL, kind: "anything", since: "soon", until: "2027-99-99" })).toEqual({});
  expect(queryOf({ ...ALL, kind: "toString" })).toEqual({});
});

test("a kind that the page doesn't know is told as it is", () => {
  expect(kindNamed("charge")).toBe("Spent");
  expect(kindNamed("gift")).toBe("gift");
});

test("what was spent on is named, and an id of Stripe's is not", () => {
  const entry = {
    number: 1,
    id: "1",
    kind: "settlement",
    credits: -2,
    balance: 8,
    at: "2027-01-01T00:00:00Z",
    source: "kernel-1",
    reason: "2.000 seconds",
    actor: "",
    key: "k",
  };
  expect(wordsOf(entry)).toBe("kernel-1: 2.000 seconds");
  expect(wordsOf({ ...entry, reason: "" })).toBe("kernel-1");
  const bought = { ...entry, kind: "purchase", source: "cs_test_1", reason: "50 credits bought" };
  expect(wordsOf(bought)).toBe("50 credits bought");
});
