import { expect, test } from "vitest";
import { endOf, isAmount, named, nameOf, newKey, placeOfAccount, withQuery } from "../src/console";

test("an account's place is found again, whatever its uid is", () => {
  for (const uid of ["ada", "a/b?c#d", "100%", "x+y&z"]) {
    const place = placeOfAccount(uid, { session: "cs_1", event: "" });
    const url = new URL(place, "https://example.com/credits/");
    expect(named(url.pathname.split("/").at(-1) ?? "")).toBe(uid);
    expect(url.search).toBe("?session=cs_1");
    expect(url.hash).toBe("");
  }
  expect(named("%")).toBe("%");
  expect(withQuery("console/accounts", { search: "" })).toBe("console/accounts");
});

test("an amount is a number above nothing with six decimals at most", () => {
  for (const good of ["1", "0.000001", "12.5", "999999999.999999"])
    expect(isAmount(good)).toBe(true);
  for (const bad of [
    "",
    "0",
    "0.0",
    "-1",
    "+1",
    "1e3",
    "1,5",
    ".5",
    "0.0000001",
    "1000000000",
    "ten",
  ])
    expect(isAmount(bad)).toBe(false);
});

test("no two keys are the same, and each is one that the service takes", () => {
  const keys = new Set(Array.from({ length: 100 }, newKey));
  expect(keys.size).toBe(100);
  for (const key of keys) expect(key).toMatch(/^console-[0-9a-f]{32}$/);
});

test("credits last to the end of a day, and without one for good", () => {
  expect(endOf("2027-03-31")).toBe(new Date(2027, 3, 1).toISOString());
  expect(endOf("")).toBeUndefined();
  expect(endOf("2027-99-99")).toBeUndefined();
});

test("somebody is called by their name, else by their handle, else by their uid", () => {
  const account = {
    uid: "u1",
    credits: 0,
    reserved: 0,
    entries: 0,
    created_at: "2027-01-01T00:00:00Z",
    handle: "ada",
    email: null,
    first_name: "Ada",
    last_name: "",
  };
  expect(nameOf({ ...account, last_name: "Lovelace" })).toBe("Ada Lovelace");
  expect(nameOf(account)).toBe("Ada");
  expect(nameOf({ ...account, first_name: "" })).toBe("ada");
  expect(nameOf({ ...account, first_name: null, last_name: null, handle: null })).toBe("u1");
});
