import { describe, expect, test } from "vitest";
import { decimalsFor, lastsFor, level, perHour, share, standing, usedBy } from "../src/burning";
import type { Balance, Reservation } from "../src/service/queries";

const RUN: Reservation = {
  id: "runtime-1",
  account_uid: "ada",
  resource: "kernel-1",
  resource_type: "runtime",
  resource_given_name: "kernel-1",
  resource_state: "running",
  credits: 10,
  limit: 10,
  burning_rate: 0.5,
  used: 2,
  state: "running",
  why: "",
  start_date: "2027-01-01T00:00:00Z",
  last_update: "2027-01-01T00:00:04Z",
  end_date: null,
  depletes_at: "2027-01-01T00:00:20Z",
  heartbeat_seconds: 30,
  epoch: 1,
  key: "k",
};

const BALANCE: Balance = {
  success: true,
  message: "OK",
  credits: { credits: 100, quota: null, last_update: "2027-01-01T00:00:04Z" },
  reservations: [RUN],
  account_uid: "ada",
  balance: 100,
  reserved: 10,
  accrued: 2,
  available: 90,
  burning_rate: 0.5,
  burning_rate_per_hour: 1800,
  depletes_at: null,
};

describe("what burns", () => {
  test("is counted on from what the service said", () => {
    expect(standing(BALANCE, 0)).toEqual({ left: 98, reserved: 8, available: 90 });
    expect(standing(BALANCE, 4)).toEqual({ left: 96, reserved: 6, available: 90 });
  });

  test("never uses more than is reserved for it", () => {
    expect(usedBy(RUN, 1_000)).toBe(10);
    expect(standing(BALANCE, 1_000)).toEqual({ left: 90, reserved: 0, available: 90 });
  });

  test("doesn't run backwards when a clock does", () => {
    expect(usedBy(RUN, -5)).toBe(2);
  });
});

describe("a limit", () => {
  test("is near at three quarters, and nearly used at nine tenths", () => {
    const part = (seconds: number) => share(RUN, seconds) ?? Number.NaN;
    expect([0, 10.9, 11, 13.9, 14, 99].map((s) => level(part(s)))).toEqual([
      "calm",
      "calm",
      "warning",
      "warning",
      "critical",
      "critical",
    ]);
  });

  test("says how long it goes on, whatever the time is here", () => {
    expect([0, 10, 99].map((seconds) => lastsFor(RUN, seconds))).toEqual([16, 6, 0]);
    expect(lastsFor({ ...RUN, limit: null }, 5)).toBeNull();
    expect(lastsFor({ ...RUN, burning_rate: 0 }, 5)).toBeNull();
  });

  test("that isn't there is not near", () => {
    expect(share({ ...RUN, limit: null }, 5)).toBeNull();
    expect(share({ ...RUN, limit: 0 }, 5)).toBe(1);
  });
});

test("a figure has as many decimals as it moves by", () => {
  expect([0, 3, 0.5, 0.01, 0.005, 0.000_01, 1e-9].map(decimalsFor)).toEqual([2, 2, 2, 2, 3, 5, 6]);
});

test("a rate is told by the hour, exactly", () => {
  expect(perHour(0.000_001)).toBe(0.0036);
  expect(perHour(0.1)).toBe(360);
});
