import { beforeEach, describe, expect, test, vi } from "vitest";
import { secondsLeft } from "../src/burning";
import type { Balance } from "../src/service/queries";

vi.stubGlobal("fetch", () => new Promise(() => {}));
const { serviceAt, tokenOf } = await import("../src/embed/place");
const { worthSaying } = await import("../src/embed/words");
await import("../src/embed/main");

function balance(changed: Partial<Balance> = {}): Balance {
  return {
    success: true,
    message: "OK",
    credits: { credits: 50, quota: null, last_update: "2027-01-01T00:00:00Z" },
    reservations: [],
    account_uid: "ada",
    balance: 50,
    reserved: 0,
    accrued: 0,
    available: 50,
    burning_rate: 0,
    burning_rate_per_hour: 0,
    depletes_at: null,
    ...changed,
  };
}

describe("the service", () => {
  test("is one above the script, wherever it is mounted", () => {
    const at = (script: string) => serviceAt(null, script)?.href;
    expect(at("https://a.example/credits/embed.js")).toBe("https://a.example/");
    expect(at("https://a.example/x/y/credits/embed.js?1")).toBe("https://a.example/x/y/");
    expect(at("")).toBeUndefined();
  });

  test("is where the attribute says, with a slash or without", () => {
    const at = (written: string) => serviceAt(written, "https://b.example/credits/embed.js")?.href;
    expect(at("https://a.example")).toBe("https://a.example/");
    expect(at("https://a.example/x//")).toBe("https://a.example/x/");
    expect(at("https://:")).toBeUndefined();
  });
});

test("a token is a text, or what a function has, and a function that fails may have it later", async () => {
  expect(await tokenOf("a")).toBe("a");
  expect(await tokenOf(() => "b")).toBe("b");
  expect(await tokenOf(async () => "c")).toBe("c");
  const failing = tokenOf(() => Promise.reject(new Error("away")));
  await expect(failing).rejects.toMatchObject({ code: "no_token", passes: true });
});

describe("a screen reader is told", () => {
  const between = (before: Partial<Balance>, now: Partial<Balance>, left = [9000, 9000]) =>
    worthSaying(
      { balance: balance(before), left: left[0] ?? null },
      { balance: balance(now), left: left[1] ?? null },
      "en",
    );

  test("nothing of the first balance, and nothing while nothing happens", () => {
    expect(worthSaying(undefined, { balance: balance(), left: null }, "en")).toBe("");
    expect(between({}, {})).toBe("");
    expect(between({ burning_rate: 1, accrued: 1 }, { burning_rate: 1, accrued: 9 })).toBe("");
  });

  test("that credits came", () => {
    expect(between({ balance: 0, available: 0 }, {})).toBe(
      "Credits were added: 50 credits available.",
    );
  });

  test("that something burns, and that nothing does any more", () => {
    const burns = { burning_rate: 0.01, burning_rate_per_hour: 36 };
    expect(between({}, burns)).toBe("Credits burn now: 36 credits an hour.");
    expect(between(burns, { balance: 40, available: 40 })).toBe(
      "Nothing burns any more: 40 credits available.",
    );
  });

  test("once that little time is left", () => {
    const burns = { burning_rate: 0.01, burning_rate_per_hour: 36 };
    expect(between(burns, burns, [601, 599])).toBe("Credits run out in less than 10 minutes.");
    expect(between(burns, burns, [599, 598])).toBe("");
  });
});

test("time left is reckoned by the service's clock", () => {
  const burns = balance({ burning_rate: 1, depletes_at: "2027-01-01T00:01:00Z" });
  expect([secondsLeft(burns, 0), secondsLeft(burns, 20), secondsLeft(burns, 99)]).toEqual([
    60, 40, 0,
  ]);
  expect(secondsLeft(balance(), 0)).toBeNull();
});

describe("an element that isn't told where the service is", () => {
  beforeEach(() => {
    document.body.innerHTML = "";
  });

  test("says so, until it is", () => {
    for (const name of ["prepaid-balance", "prepaid-buy"]) {
      const one = document.createElement(name);
      document.body.append(one);
      const shown = () => one.shadowRoot?.textContent ?? "";
      expect(shown()).toContain("the attribute “service” is missing");
      one.setAttribute("service", "https://a.example");
      expect(shown()).not.toContain("is missing");
      one.remove();
    }
  });
});
