import { expect, test, vi } from "vitest";
import { AWAY, answer, json, press, reads, show } from "./shown";

const { default: DrawnCharts } = await import("../src/parts/DrawnCharts");

const POINTS = [
  { at: "2027-03-10T11:00:00Z", balance: 50 },
  { at: "2027-03-10T11:30:00Z", balance: 37.5 },
  { at: "2027-03-10T12:00:00Z", balance: 37.5 },
];
const NOTHING = { credits: 0, spent: 0, accrued: 0 };

const balances = (points: object[], every_change = true) =>
  json({ success: true, account_uid: "ada", points, every_change });

const spending = (...costs: object[]) =>
  json({
    success: true,
    spending: costs,
    others: { count: 0, ...NOTHING },
    total: { ...NOTHING, credits: 12.5, spent: 12.5 },
  });

const KERNEL = {
  resource_type: "kernel",
  resource: "k1",
  resource_given_name: "My kernel",
  ...NOTHING,
  credits: 12.5,
  spent: 12.5,
};

function rows(): string[] {
  return [...document.querySelectorAll("tr")].map((row) => row.textContent ?? "");
}

function showTables(): void {
  for (const button of document.querySelectorAll("button"))
    if (button.textContent === "Table") button.click();
}

test("both charts are loading, and then their tables have the numbers that were told", async () => {
  let letGo = () => {};
  const held = new Promise<void>((resolve) => {
    letGo = resolve;
  });
  answer(async (path) => {
    await held;
    return path.endsWith("spending") ? spending(KERNEL) : balances(POINTS);
  });
  show(<DrawnCharts />);
  await reads("Loading the credits over time", "Loading the spending");
  letGo();
  await reads("Credits over time", "Spending");
  showTables();
  await reads("When", "Together");
  expect(rows().filter((row) => row.includes("37.5"))).toHaveLength(2);
  expect(rows().filter((row) => row.endsWith("M50"))).toHaveLength(1);
  expect(rows()).toContain("My kernelkernel12.512.50");
  expect(rows()).toContain("Together12.512.50");
});

test("without credits and spending both say so", async () => {
  const nothing = POINTS.map((point) => ({ ...point, balance: 0 }));
  answer((path) => (path.endsWith("spending") ? spending() : balances(nothing)));
  show(<DrawnCharts />);
  await reads("You had no credits in the last 7 days.", "Nothing was spent in the last 7 days.");
});

test("what is wrong with one is told there, and the other is shown", async () => {
  answer((path) => (path.endsWith("spending") ? json(AWAY, 503) : balances(POINTS)));
  show(<DrawnCharts />);
  await reads("The spending can't be shown now.", AWAY.detail, "Credits over time");
  answer(() => spending(KERNEL));
  press("Try again");
  await reads("By type");
});

test("another span and another sum are asked of the service", async () => {
  const asked: string[] = [];
  answer((path, query) => {
    const hours = (Date.now() - Date.parse(query.get("since") ?? "")) / 3_600_000;
    asked.push(`${path.split("/").at(-1)} ${Math.round(hours)} ${query.get("by")}`);
    return path.endsWith("spending") ? spending(KERNEL) : balances(POINTS, false);
  });
  show(<DrawnCharts />);
  await reads("By type", "of each short time, the last one is.");
  press("24 hours");
  press("By type");
  await vi.waitFor(
    () => {
      expect(asked).toContain("balance-history 168 null");
      expect(asked).toContain("balance-history 24 null");
      expect(asked).toContain("spending 168 resource");
      expect(asked.some((one) => one.endsWith("resource_type"))).toBe(true);
    },
    { timeout: 30_000 },
  );
});
