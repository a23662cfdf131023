/** What an operator's console knows of the service, and what it has it do. */

import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { answered, service } from "./client";
import type {
  AccountOut,
  BalanceOut,
  GrantIn,
  GrantOut,
  LetterOut,
  OfferOut,
  operations,
  ReversalIn,
  SignOut,
  TotalsOut,
} from "./schema";

export type Account = AccountOut;
export type Balance = BalanceOut;
export type Grant = GrantOut;
export type Giving = GrantIn;
export type Letter = LetterOut;
export type Offer = OfferOut;
export type Sign = SignOut;
export type Taking = ReversalIn;
export type Totals = TotalsOut;

/** The first part of every key in the cache: all of it is old once an operator has changed something. */
export const CONSOLE = "console";

const PAGE = 50;
const BALANCE_SECONDS = 10;

export function useTotals() {
  return useQuery({
    queryKey: [CONSOLE, "totals"],
    queryFn: () => answered(service.GET("/api/iam/v1/totals")),
  });
}

/** Accounts by uid, as many pages of them as were asked for; those that have a name that begins so. */
export function useAccounts(search: string) {
  return useInfiniteQuery({
    queryKey: [CONSOLE, "accounts", search],
    queryFn: ({ pageParam: after }) =>
      answered(
        service.GET("/api/iam/v1/accounts", { params: { query: { search, after, limit: PAGE } } }),
      ),
    initialPageParam: "",
    getNextPageParam: (page) => page.next_after,
    select: (told) => told.pages.flatMap((page) => page.accounts),
  });
}

export function useAccount(account_uid: string) {
  return useQuery({
    queryKey: [CONSOLE, "account", account_uid],
    queryFn: () =>
      answered(
        service.GET("/api/iam/v1/accounts/{account_uid}", { params: { path: { account_uid } } }),
      ),
    select: (told) => told.account,
  });
}

/** What an account has. `dataUpdatedAt` is when it was so. */
export function useBalanceOf(account_uid: string) {
  return useQuery({
    queryKey: [CONSOLE, "balance", account_uid],
    queryFn: () =>
      answered(
        service.GET("/api/iam/v1/usage/credits/users/{account_uid}", {
          params: { path: { account_uid } },
        }),
      ),
    refetchInterval: BALANCE_SECONDS * 1000,
  });
}

/** The grants that have something left, in the order in which they are spent. */
export function useGrants(account_uid: string) {
  return useQuery({
    queryKey: [CONSOLE, "grants", account_uid],
    queryFn: () =>
      answered(
        service.GET("/api/iam/v1/accounts/{account_uid}/grants", {
          params: { path: { account_uid } },
        }),
      ),
    select: (told) => told.grants,
  });
}

export type OffersQuery = NonNullable<
  operations["list_checkouts_api_iam_stripe_v1_checkouts_get"]["parameters"]["query"]
>;

export function useOffers(wanted: OffersQuery) {
  return useInfiniteQuery({
    queryKey: [CONSOLE, "checkouts", wanted],
    queryFn: ({ pageParam: before }) =>
      answered(
        service.GET("/api/iam/stripe/v1/checkouts", {
          params: { query: { ...wanted, before, limit: PAGE } },
        }),
      ),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next_before,
    select: (told) => told.pages.flatMap((page) => page.checkouts),
  });
}

export type Verdict = Letter["verdict"];

export function useLetters(verdict: Verdict | undefined) {
  return useInfiniteQuery({
    queryKey: [CONSOLE, "events", verdict ?? ""],
    queryFn: ({ pageParam: before }) =>
      answered(
        service.GET("/api/iam/stripe/v1/events", {
          params: { query: { ...(verdict && { verdict }), before, limit: PAGE } },
        }),
      ),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next_before,
    select: (told) => told.pages.flatMap((page) => page.events),
  });
}

export function useLetter(event_id: string) {
  return useQuery({
    queryKey: [CONSOLE, "event", event_id],
    queryFn: () =>
      answered(
        service.GET("/api/iam/stripe/v1/events/{event_id}", { params: { path: { event_id } } }),
      ),
    staleTime: Number.POSITIVE_INFINITY,
  });
}

/** The doctor asks Stripe: they look when they are asked to, and not by themselves. */
export function examine() {
  return answered(service.GET("/api/iam/v1/doctor"));
}

export function give(account_uid: string, body: Giving) {
  return answered(
    service.POST("/api/iam/v1/accounts/{account_uid}/grants", {
      params: { path: { account_uid } },
      body,
    }),
  );
}

export function takeBack(account_uid: string, grant_id: string, body: Taking) {
  return answered(
    service.POST("/api/iam/v1/accounts/{account_uid}/grants/{grant_id}/reversal", {
      params: { path: { account_uid, grant_id } },
      body,
    }),
  );
}
