import { expect, test } from "vitest";
import { placeOf } from "../src/address";

const HOME = new URL("https://example.com/billing/credits/");

function path(address: string): string {
  return placeOf(`https://example.com${address}`, HOME).path;
}

test("a place is what stands below the page's home, wherever that is", () => {
  expect(path("/billing/credits")).toBe("");
  expect(path("/billing/credits/")).toBe("");
  expect(path("/billing/credits/buy")).toBe("buy");
  expect(path("/billing/credits/buy/return?session_id=cs_1")).toBe("buy/return");
});

test("a place has what was asked", () => {
  const place = placeOf("https://example.com/billing/credits/buy?package=price_1", HOME);
  expect(place.query.get("package")).toBe("price_1");
});
