import { expect, test } from "vitest";
import { duration } from "../src/durations";

test("a duration has its two largest parts", () => {
  const told = [0, 0.9, 1, 59, 60, 61, 3_600, 3_661, 7_500, 86_400, 90_000, 1_000_000].map(
    duration,
  );
  expect(told).toEqual([
    "0 seconds",
    "0 seconds",
    "1 second",
    "59 seconds",
    "1 minute",
    "1 minute 1 second",
    "1 hour",
    "1 hour 1 minute",
    "2 hours 5 minutes",
    "1 day",
    "1 day 1 hour",
    "11 days 13 hours",
  ]);
});

test("a duration is rounded down and never negative", () => {
  expect(duration(119.99)).toBe("1 minute 59 seconds");
  expect(duration(-5)).toBe("0 seconds");
});
