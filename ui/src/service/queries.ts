/** What the page knows of the service: one hook for each thing, and one cache behind them. */

import { QueryClient, queryOptions, useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { beginning, type Span } from "../charts";
import { leaveSoon } from "../identity";
import { type Answer, answered, Refused, service } from "./client";
import type {
  BalanceOut,
  By,
  CheckoutOut,
  CheckoutTold,
  EntryOut,
  KeyOut,
  Kind,
  operations,
  PointOut,
  PriceOut,
  ReservationOut,
  SpendingOut,
  State,
} from "./schema";
import { isLive } from "./stream";

export type Balance = BalanceOut;
export type BalancePoint = PointOut;
export type Spending = SpendingOut;
export type SpendingBy = By;
export type ApiKey = KeyOut;
export type Entry = EntryOut;
export type EntriesQuery = NonNullable<
  operations["entries_api_iam_v1_usage_entries_get"]["parameters"]["query"]
>;
export type { Kind };
export type Checkout = CheckoutOut;
export type CheckoutState = State;
export type Purchase = CheckoutTold;
export type PurchasesQuery = NonNullable<
  operations["checkouts_api_iam_stripe_v1_checkout_sessions_get"]["parameters"]["query"]
>;
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
    if (error instanceof Refused && error.code === "unauthenticated") leaveSoon();
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

const CHART_SECONDS = 60; // a stream of charges doesn't draw them anew each second

/** What there was over a span that ends now. */
export function useBalanceHistory(span: Span) {
  return useQuery({
    queryKey: ["charts", "balance", span.id],
    queryFn: () => {
      const query = { since: beginning(span, Date.now()) };
      return answered(service.GET("/api/iam/v1/usage/balance-history", { params: { query } }));
    },
    refetchInterval: CHART_SECONDS * 1000,
  });
}

const COSTS_SHOWN = 8;

/** What credits went to in a span that ends now. */
export function useSpending(span: Span, by: SpendingBy) {
  return useQuery({
    queryKey: ["charts", "spending", span.id, by],
    queryFn: () => {
      const query = { since: beginning(span, Date.now()), by, limit: COSTS_SHOWN };
      return answered(service.GET("/api/iam/v1/usage/spending", { params: { query } }));
    },
    refetchInterval: CHART_SECONDS * 1000,
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

const SOON = 60; // answers after which nobody waits in front of the page any more
const LATER_SECONDS = 10;

/**
 * A checkout, asked for again until nothing changes it any more; often at first, then seldom: the
 * service asks Stripe each time, and a bank may take days.
 */
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
        : Math.max(everySeconds, state.dataUpdateCount > SOON ? LATER_SECONDS : 0) * 1000,
  });
}

/** Whether the service says that there is no such checkout, or that no checkout has such a name. */
export function isUnknown(error: unknown): boolean {
  return (
    error instanceof Refused &&
    (error.code === "unknown_checkout" || error.code === "invalid_request")
  );
}

const ENTRIES = "/api/iam/v1/usage/entries";

/** The entries that match, newest first, as many pages of them as were asked for. */
export function useEntries(query: EntriesQuery) {
  return useInfiniteQuery({
    queryKey: ["entries", query],
    queryFn: ({ pageParam: before }) =>
      answered(service.GET(ENTRIES, { params: { query: { ...query, limit: PAGE, before } } })),
    initialPageParam: null as number | null,
    getNextPageParam: (page) => page.next_before,
    select: (told) => told.pages.flatMap((page) => page.entries),
  });
}

const PAGE = 50;

const PURCHASES = "/api/iam/stripe/v1/checkout/sessions";

/** The checkouts that match, newest first, as many pages of them as were asked for. */
export function usePurchases(query: PurchasesQuery) {
  return useInfiniteQuery({
    queryKey: ["purchases", query],
    queryFn: ({ pageParam: before }) =>
      answered(service.GET(PURCHASES, { params: { query: { ...query, limit: PAGE, before } } })),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next_before,
    select: (told) => told.pages.flatMap((page) => page.checkouts),
  });
}

/** Where Stripe shows a purchase's receipt. It is asked for each time: the link expires. */
export async function receiptOf(name: string): Promise<string> {
  const path = "/api/iam/stripe/v1/checkout/session/{name}/receipt";
  return (await answered(service.GET(path, { params: { path: { name } } }))).receipt_url;
}

/** A file, and the name that the service gives it. */
export interface NamedFile {
  readonly blob: Blob;
  readonly name: string;
}

/** All entries that match. */
export function entriesAsCsv(query: EntriesQuery): Promise<NamedFile> {
  const params = { query: { ...query, format: "csv" as const } };
  return named(service.GET(ENTRIES, { params, parseAs: "blob" }), "entries.csv");
}

/** All checkouts that match. */
export function purchasesAsCsv(query: PurchasesQuery): Promise<NamedFile> {
  const params = { query: { ...query, format: "csv" as const } };
  return named(service.GET(PURCHASES, { params, parseAs: "blob" }), "purchases.csv");
}

async function named(asked: Promise<Answer<Blob>>, usual: string): Promise<NamedFile> {
  const blob = await answered<Blob>(asked);
  const told = (await asked).response.headers.get("Content-Disposition") ?? "";
  return { blob, name: /filename="([^"]+)"/.exec(told)?.[1] ?? usual };
}

/** One's keys: those that work first, then those that were revoked; the newest first in each. */
export function useKeys() {
  return useQuery({
    queryKey: ["keys"],
    queryFn: () => answered(service.GET("/api/iam/v1/api-keys")),
    select: (told) => [...told.api_keys].sort(byUse),
  });
}

function byUse(one: ApiKey, other: ApiKey): number {
  const live = Number(one.revoked_at !== null) - Number(other.revoked_at !== null);
  return live || other.created_at.localeCompare(one.created_at);
}

export function makeKey(name: string) {
  return answered(service.POST("/api/iam/v1/api-keys", { body: { name, scope: "user" } }));
}

export function revokeKey(key_id: string) {
  return answered(
    service.DELETE("/api/iam/v1/api-keys/{key_id}", { params: { path: { key_id } } }),
  );
}
