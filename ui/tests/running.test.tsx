import { expect, test } from "vitest";
import type { Reservation } from "../src/service/queries";
import { AWAY, answer, json, press, reads, show } from "./shown";

const { Running } = await import("../src/parts/Running");
const { Ended } = await import("../src/parts/Ended");

const RUN: Reservation = {
  id: "runtime-1",
  account_uid: "ada",
  resource: "kernel-1",
  resource_type: "runtime",
  resource_given_name: "Train a model",
  resource_state: "running",
  credits: 10,
  limit: 10,
  burning_rate: 0.5,
  used: 0,
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

const WARNED = "Three quarters are used";
const CRITICAL = "Nearly used up";

test.each([
  [7.49, "74", ""],
  [7.5, "75", WARNED],
  [8.99, "89", WARNED],
  [9, "90", CRITICAL],
  [10, "100", CRITICAL],
])("%s of 10 credits are told as %s percent: %s", async (used, percent, said) => {
  show(<Running reservations={[{ ...RUN, used }]} seconds={0} />);
  await reads("Train a model", "of 10 credits used");
  const bar = document.querySelector("[role=progressbar]");
  expect(bar?.getAttribute("aria-valuenow")).toBe(percent);
  expect(bar?.getAttribute("aria-valuetext")).toBe(`${percent} % of 10 credits`);
  for (const words of [WARNED, CRITICAL])
    expect(document.body.textContent?.includes(words)).toBe(words === said);
});

test("what has no limit has no bar to fill, and lasts as long as there are credits", async () => {
  show(<Running reservations={[{ ...RUN, limit: null, used: 9.9 }]} seconds={0} />);
  await reads("credits used", "as long as credits are available");
  expect(document.querySelector("[role=progressbar]")).toBeNull();
});

const ended = (state: string, why: string, used: number) => ({
  ...RUN,
  id: `runtime-${state}`,
  state,
  why,
  used,
  end_date: "2027-01-01T00:00:20Z",
});

test("what ended says how, why, and what it has cost", async () => {
  const reservations = [
    ended("settled", "it was settled", 2.5),
    ended("released", "the kernel never started", 0),
    ended("lost", "its heartbeats stopped", 1),
    ended("depleted", "its 10 credits were used up", 10),
  ];
  answer(() => json({ success: true, reservations, next_before: null }));
  show(<Ended />);
  await reads("its 10 credits were used up");
  const told = [...document.querySelectorAll("li")].map((one) => one.textContent ?? "");
  for (const [row, ...words] of [
    [0, "finished", "it was settled", "Cost: 2.5 credits"],
    [1, "cancelled", "the kernel never started", "Cost: 0 credits"],
    [2, "lost", "its heartbeats stopped", "Cost: 1 credit"],
    [3, "ran out", "its 10 credits were used up", "Cost: 10 credits"],
  ] as const)
    for (const word of words) expect(told[row]).toContain(word);
});

test("when what ended can't be told, the page says so and asks again on demand", async () => {
  answer(() => json(AWAY, 503));
  show(<Ended />);
  await reads("What ended can't be shown now.", AWAY.detail);
  answer(() => json({ success: true, reservations: [], next_before: null }));
  press("Try again");
  await reads("Nothing has run yet.");
});
