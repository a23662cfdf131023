/** Which purchases are looked at: kept in the address, so that it can be linked to. */

import { placeWith } from "./address";
import { money } from "./amounts";
import { dayBegins } from "./history";
import type { CheckoutState, Price, Purchase, PurchasesQuery } from "./service/queries";

export const PURCHASES = "history/purchases";

export interface Chosen {
  readonly state: string;
  readonly since: string;
  readonly until: string;
}

/**
 * What each state of a checkout is called, as far as the service has been told. What is open may
 * have been paid all the same, if Stripe's word of it is late or lost: so it isn't said that it
 * wasn't.
 */
export const STATES: Readonly<Record<CheckoutState, string>> = {
  credited: "Paid, credits added",
  processing: "Payment being processed",
  open: "Not finished",
  failed: "Payment failed",
  expired: "Not paid in time",
};

function isState(written: string): written is CheckoutState {
  return Object.hasOwn(STATES, written);
}

export function chosenIn(query: URLSearchParams): Chosen {
  const part = (name: string) => query.get(name)?.trim() ?? "";
  return { state: part("state"), since: part("since"), until: part("until") };
}

export function placeOfPurchases(chosen: Chosen): string {
  return placeWith(PURCHASES, chosen);
}

/** What to ask the service. Days are the reader's own; the last one is meant whole. */
export function queryOf(chosen: Chosen): PurchasesQuery {
  const since = dayBegins(chosen.since, 0);
  const until = dayBegins(chosen.until, 1);
  return {
    ...(isState(chosen.state) && { state: [chosen.state] }),
    ...(since && { since }),
    ...(until && { until }),
  };
}

/** How a purchase stands, in words. */
export function stateNamed(one: Purchase): string {
  return isState(one.state) ? STATES[one.state] : one.state;
}

/** The package by the name that it is sold under now, or else by its size. */
export function packageNamed(one: Purchase, prices: readonly Price[]): string {
  const price = prices.find(({ id }) => id === one.price_id);
  return price?.description || `Package of ${one.credits} credits`;
}

/** What was paid; nothing, where it is known that nothing was. */
export function paid(one: Purchase, locale?: string): string {
  if (one.paid_amount !== null && one.paid_currency !== null)
    return money(one.paid_amount, one.paid_currency, locale);
  return one.state === "failed" || one.state === "expired" ? "nothing" : "not known yet";
}
