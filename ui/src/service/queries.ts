/** What the page knows of the service: one hook for each thing, and one cache behind them. */

import { QueryClient, queryOptions, useQuery } from "@tanstack/react-query";
import { leave } from "../identity";
import { answered, Refused, service } from "./client";
import type { BalanceOut, CheckoutOut, PriceOut, ReservationOut } from "./schema";
import { isLive } from "./stream";

export type Balance = BalanceOut;
export type Checkout = CheckoutOut;
export type Price = PriceOut;
export type Reservation = ReservationOut;

const TRIES = 2;

export function newCache(): QueryClient {
  return new QueryClient({
    defaultOptions: {
      queries: {
        retry: (failures, error) => error instanceof Refused && error.passes && failures < TRIES,
        retryDelay: (failures) => 500 * 2 ** failures,
        networkMode: "always", // loopback is there when the network isn't
      },
      mutations: { networkMode: "always" },
    },
  });
}

/** A token that is not accepted any more is forgotten: the page asks who you are again. */
export function forgetWhenStrange(cache: QueryClient): void {
  cache.getQueryCache().subscribe((event) => {
    if (event.type !== "updated" || event.action.type !== "error") return;
    const { error } = event.action;
    if (error instanceof Refused && error.status === 401) leave();
  });
}

const BALANCE_SECONDS = 3;
const LIVE_SECONDS = 30; // the stream tells what changes; asking is the second look
const ENDED_SHOWN = 8;

/** What the account has. `dataUpdatedAt` is when it was so. */
export function useBalance() {
  return useQuery({
    queryKey: ["balance"],
    queryFn: () => answered(service.GET("/api/iam/v1/usage/credits")),
    refetchInterval: () => (isLive() ? LIVE_SECONDS : BALANCE_SECONDS) * 1000,
  });
}

export function useProfile() {
  return useQuery({
    queryKey: ["whoami"],
    queryFn: () => answered(service.GET("/api/iam/v1/whoami")),
    select: (told) => told.profile,
    staleTime: Number.POSITIVE_INFINITY,
  });
}

/** What ended last. What runs stands in the balance. */
export function useEnded() {
  return useQuery({
    queryKey: ["reservations", "all"],
    queryFn: () =>
      answered(
        service.GET("/api/iam/v1/usage/reservations", { params: { query: { state: "all" } } }),
      ),
    select: (told) =>
      told.reservations.filter((one) => one.end_date !== null).slice(0, ENDED_SHOWN),
    refetchInterval: LIVE_SECONDS * 1000,
  });
}

export function usePrices() {
  return useQuery({
    queryKey: ["prices"],
    queryFn: () => answered(service.GET("/api/iam/stripe/v1/prices")),
    select: (told) => told.prices,
    staleTime: 60_000,
  });
}

/** States of a checkout that nothing changes any more. */
const SETTLED = new Set(["credited", "failed", "expired"]);

export function isSettled(state: string): boolean {
  return SETTLED.has(state);
}

/** A checkout, asked for again until nothing changes it any more. */
export function checkoutOptions(name: string, everySeconds: number) {
  return queryOptions({
    queryKey: ["checkout", name],
    queryFn: () =>
      answered(
        service.GET("/api/iam/stripe/v1/checkout/session/{name}", { params: { path: { name } } }),
      ),
    refetchInterval: ({ state }) =>
      (state.data && isSettled(state.data.state)) || isUnknown(state.error)
        ? false
        : everySeconds * 1000,
  });
}

export function isUnknown(error: unknown): boolean {
  return error instanceof Refused && (error.status === 404 || error.status === 422);
}
