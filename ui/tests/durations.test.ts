import { expect, test } from "vitest";
import { duration, secondsUntil } from "../src/durations";

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

test("what has passed is no time away", () => {
  const now = Date.parse("2027-01-01T00:00:00Z");
  expect(secondsUntil("2027-01-01T00:01:30Z", now)).toBe(90);
  expect(secondsUntil("2026-12-31T23:59:59Z", now)).toBe(0);
});
