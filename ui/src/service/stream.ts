/**
 * What happens to the account, as the service tells it. Events go into the query cache, so nothing
 * else on the page knows that there is a stream; without one the page asks every few seconds.
 */

import { type QueryClient, useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";
import { currentToken } from "../identity";
import { SERVICE } from "../told";
import { follow, STREAM, type Told } from "./following";
import type { Balance } from "./queries";

const RESTS_MILLISECONDS = 5_000; // a chart is drawn no more often, however much is spent

let live = false;

/** Whether the stream is telling: then there is no need to ask. */
export function isLive(): boolean {
  return live;
}

/** What an event means to the cache. */
export function hear(cache: QueryClient, told: Told): void {
  if (told.event === "balance") {
    cache.setQueryData<Balance>(["balance"], {
      success: true,
      message: "OK",
      ...(JSON.parse(told.data) as Omit<Balance, "success" | "message">), // our own service wrote it
    });
  } else if (told.event) {
    const stale = ["reservations", "entries", "checkout", "purchases"];
    for (const name of stale) void cache.invalidateQueries({ queryKey: [name] });
    void cache.invalidateQueries({
      queryKey: ["charts"],
      predicate: ({ state }) => Date.now() - state.dataUpdatedAt > RESTS_MILLISECONDS,
    });
  }
}

/** Listens while the page is looked at. */
export function useStream(): void {
  const cache = useQueryClient();
  useEffect(() => {
    let isLost = false;
    const ask = () => {
      for (const name of ["balance", "checkout"])
        void cache.invalidateQueries({ queryKey: [name] });
    };
    return follow(new URL(STREAM, SERVICE), {
      token: currentToken,
      hear: (told) => hear(cache, told),
      doubt: () => {
        isLost = true;
        ask();
      },
      turn: (now) => {
        if (now && isLost) ask(); // what failed meanwhile needs not wait for its turn
        if (now) isLost = false;
        live = now;
      },
    });
  }, [cache]);
}
