import { QueryClient } from "@tanstack/react-query";
import { expect, test, vi } from "vitest";
import { follow } from "../src/service/following";
import { hear } from "../src/service/stream";

test("a balance that the stream tells is the balance that is shown", () => {
  const cache = new QueryClient();
  hear(cache, { event: "balance", data: '{"balance":12.5,"available":10,"reservations":[]}' });
  expect(cache.getQueryData(["balance"])).toMatchObject({ success: true, balance: 12.5 });
});

test("an entry makes what follows from the books be asked for again", () => {
  const cache = new QueryClient();
  for (const name of ["entries", "checkout", "prices"]) cache.setQueryData([name], {});
  hear(cache, { event: "entry", data: "{}" });
  const stale = (name: string) => cache.getQueryState([name])?.isInvalidated;
  expect([stale("entries"), stale("checkout"), stale("prices")]).toEqual([true, true, false]);
});

test("who is not signed in asks for no stream", async () => {
  const asked = vi.fn();
  vi.stubGlobal("fetch", asked);
  await new Promise<void>((doubt) => {
    follow(new URL("http://127.0.0.1/"), { token: () => "", hear() {}, doubt, turn() {} });
  });
  expect(asked).not.toHaveBeenCalled();
  vi.unstubAllGlobals();
});
