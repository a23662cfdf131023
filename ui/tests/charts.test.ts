import { expect, test } from "vitest";
import {
  beginning,
  between,
  costsOf,
  markNamed,
  marksOf,
  roughly,
  SPANS,
  shortened,
  stepsOf,
} from "../src/charts";
import type { Spending } from "../src/service/queries";

const DAY = 86_400_000;
const NOON = new Date(2027, 2, 10, 12).getTime();

function after(seconds: number): number {
  return NOON + seconds * 1_000;
}

test("a span ends now, and begins its days before", () => {
  const begins = SPANS.map((span) => beginning(span, NOON));
  expect(begins).toEqual([1, 7, 30, 90].map((days) => new Date(NOON - days * DAY).toISOString()));
});

const point = (seconds: number, balance: number) => ({
  at: new Date(NOON + seconds * 1000).toISOString(),
  balance,
});

test("a line has every point, and begins with the first credits if there were none before", () => {
  expect(stepsOf([point(0, 5), point(9, 3)])).toEqual([
    { at: NOON, balance: 5 },
    { at: NOON + 9000, balance: 3 },
  ]);
  expect(stepsOf([point(0, 0), point(5, 50), point(9, 50)]).map(({ balance }) => balance)).toEqual([
    50, 50,
  ]);
  expect(stepsOf([point(0, 0), point(9, 0)])).toHaveLength(2);
});

test.each(SPANS.map((span) => [span.name, span.milliseconds]))(
  "the marks of %s are few, in order, within it, and begin a minute, an hour or a day",
  (_, long) => {
    const marks = marksOf(NOON - long, NOON);
    expect(marks.length).toBeGreaterThan(1);
    expect(marks.length).toBeLessThan(10);
    expect(marks).toEqual([...marks].sort((one, other) => one - other));
    for (const mark of marks) {
      expect(mark >= NOON - long && mark <= NOON).toBe(true);
      const at = new Date(mark);
      expect([at.getMinutes(), at.getSeconds()]).toEqual([0, 0]);
      if (between(NOON - long, NOON) >= DAY) expect(at.getHours()).toBe(0);
    }
  },
);

test("an hour is marked in minutes, a minute in seconds, and less at its end", () => {
  expect(between(NOON - 3_600_000, NOON)).toBe(15 * 60_000);
  expect(marksOf(NOON + 1, NOON + 40_000)).toEqual([5, 10, 15, 20, 25, 30, 35, 40].map(after));
  expect(marksOf(NOON + 1, NOON + 900)).toEqual([NOON + 900]);
  expect(markNamed(after(5), 1_000, "en-US").replace(/\s/, " ")).toBe("12:00:05 PM");
  expect(markNamed(NOON, 60_000, "en-US").replace(/\s/, " ")).toBe("12:00 PM");
  expect(markNamed(NOON, DAY, "en-US")).toBe("Mar 10");
});

const SPENT: Spending = {
  success: true,
  message: "OK",
  account_uid: "ada",
  at: "2027-03-10T12:00:00Z",
  by: "resource",
  spending: [
    {
      resource_type: "kernel",
      resource: "k1",
      resource_given_name: "My kernel",
      credits: 3.5,
      spent: 1,
      accrued: 2.5,
    },
    {
      resource_type: "",
      resource: "",
      resource_given_name: "",
      credits: 1,
      spent: 1,
      accrued: 0,
    },
  ],
  others: { count: 2, credits: 0.5, spent: 0.5, accrued: 0 },
  total: { credits: 5, spent: 2.5, accrued: 2.5 },
};

test("costs are named, and the others are one of them, so that all together is the total", () => {
  const costs = costsOf(SPENT, "resource");
  expect(costs.map(({ name, type }) => [name, type])).toEqual([
    ["My kernel", "kernel"],
    ["Not named", ""],
    ["2 others", ""],
  ]);
  for (const part of ["credits", "spent", "accrued"] as const)
    expect(costs.reduce((sum, one) => sum + one[part], 0)).toBe(SPENT.total[part]);
  const one = { ...SPENT, others: { ...SPENT.others, count: 1 } };
  expect(costsOf(one, "resource").at(-1)?.name).toBe("1 other");
});

test("by type a cost has the type's name, and without others there is no row of them", () => {
  const types = SPENT.spending.map((one) => ({
    ...one,
    resource: null,
    resource_given_name: null,
  }));
  const told = { ...SPENT, spending: types, others: { ...SPENT.others, count: 0 } };
  expect(costsOf(told, "resource_type").map(({ name }) => name)).toEqual(["kernel", "Not named"]);
});

test("an axis is rough, and a long name is cut between letters", () => {
  expect(roughly(1_234_567, "en-US")).toBe("1.23M");
  expect(roughly(0.5, "en-US")).toBe("0.5");
  expect(shortened("kernel-1")).toBe("kernel-1");
  expect(shortened("🚀".repeat(20))).toBe(`${"🚀".repeat(15)}…`);
});
