import { describe, expect, test } from "vitest";
import {
  bestValues,
  credits,
  creditsMoving,
  creditsNamed,
  creditsSigned,
  decimals,
  money,
  moneyPerCredit,
} from "../src/amounts";

describe("money", () => {
  test("is told in the currency's own unit", () => {
    expect(money(500, "usd", "en-US")).toBe("$5.00");
    expect(money(500, "eur", "de-DE")).toBe("5,00\u00a0€");
  });

  test("of a currency without a minor unit is whole", () => {
    expect(money(500, "jpy", "en-US")).toBe("¥500");
  });

  test("is counted as Stripe counts it, also where the currency has other coins", () => {
    expect(money(50_000, "isk", "en-US")).toMatch(/^ISK\s500$/);
    expect(money(1_230, "kwd", "en-US")).toMatch(/^KWD\s1\.230$/);
    expect(money(500, "mga", "en-US")).toMatch(/^MGA\s500(\.00)?$/);
    expect(["usd", "JPY", "kwd", "isk"].map(decimals)).toEqual([2, 0, 3, 2]);
  });

  test("for a credit has the digits that tell packages apart", () => {
    expect(moneyPerCredit(500, "usd", 50, "en-US")).toBe("$0.10");
    expect(moneyPerCredit(1_000, "usd", 120, "en-US")).toBe("$0.0833");
    expect(moneyPerCredit(500, "jpy", 300, "en-US")).toBe("¥1.67");
  });
});

describe("credits", () => {
  test("have all their decimals and no more", () => {
    expect(credits(1_234.567891, "en-US")).toBe("1,234.567891");
    expect(credits(50, "en-US")).toBe("50");
    expect(credits(999_999_999.999999, "en-US")).toBe("999,999,999.999999");
  });

  test("are named in the singular and the plural", () => {
    expect([0, 1, -1, 1.5, 50].map((one) => creditsNamed(one, "en-US"))).toEqual([
      "0 credits",
      "1 credit",
      "-1 credit",
      "1.5 credits",
      "50 credits",
    ]);
  });

  test("that move are rounded down, with as many decimals each time", () => {
    expect(creditsMoving(9.9999, 2, "en-US")).toBe("9.99");
    expect(creditsMoving(10, 2, "en-US")).toBe("10.00");
  });

  test("of an entry have their sign", () => {
    expect([50, -0.5, 0].map((one) => creditsSigned(one, "en-US"))).toEqual(["+50", "-0.5", "0"]);
  });
});

describe("the best value", () => {
  const small = { id: "small", amount: 500, currency: "usd", credits: 50 };
  const large = { id: "large", amount: 5_000, currency: "usd", credits: 650 };
  const euros = { id: "euros", amount: 450, currency: "eur", credits: 50 };

  test("is the package whose credits cost least", () => {
    expect([...bestValues([small, large])]).toEqual(["large"]);
  });

  test("is nothing where all credits cost the same", () => {
    expect([...bestValues([small, { ...small, id: "other" }])]).toEqual([]);
    expect([...bestValues([small])]).toEqual([]);
    expect([...bestValues([])]).toEqual([]);
  });

  test("doesn't compare currencies", () => {
    expect([...bestValues([small, large, euros])]).toEqual(["large"]);
  });
});
