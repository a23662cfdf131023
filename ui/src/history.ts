/** Which part of the history is looked at: kept in the address, so that it can be linked to. */

import { placeWith } from "./address";
import type { EntriesQuery, Entry, Kind } from "./service/queries";

export interface Chosen {
  readonly kind: string;
  readonly since: string;
  readonly until: string;
  readonly resource: string;
}

/** What each kind of entry is called. */
export const KINDS: Readonly<Record<Kind, string>> = {
  purchase: "Bought",
  promotion: "Granted",
  adjustment: "Adjusted",
  charge: "Spent",
  settlement: "Used",
  expiry: "Expired",
  reversal: "Taken back",
};

export function isKind(written: string): written is Kind {
  return Object.hasOwn(KINDS, written);
}

export function kindNamed(kind: string): string {
  return isKind(kind) ? KINDS[kind] : kind;
}

export function chosenIn(query: URLSearchParams): Chosen {
  const part = (name: string) => query.get(name)?.trim() ?? "";
  return {
    kind: part("kind"),
    since: part("since"),
    until: part("until"),
    resource: part("resource"),
  };
}

/** The place of this part of the history, which is kept at its home. */
export function placeOfHistory(chosen: Chosen, home = "history"): string {
  return placeWith(home, chosen);
}

/** What to ask the service. Days are the reader's own; the last one is meant whole. */
export function queryOf(chosen: Chosen): EntriesQuery {
  const since = dayBegins(chosen.since, 0);
  const until = dayBegins(chosen.until, 1);
  return {
    ...(isKind(chosen.kind) && { kind: [chosen.kind] }),
    ...(since && { since }),
    ...(until && { until }),
    ...(chosen.resource && { resource: chosen.resource }),
  };
}

/** The instant at which a day begins here, or one so many days later; nothing if it is no day. */
export function dayBegins(day: string, daysLater: number): string {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(day)) return "";
  const at = new Date(`${day}T00:00`);
  at.setDate(at.getDate() + daysLater);
  return Number.isNaN(at.getTime()) ? "" : at.toISOString();
}

const SPENT: ReadonlySet<string> = new Set(["charge", "settlement"]);

/** What an entry was for: what was spent on is named; elsewhere the source is an id of Stripe's. */
export function wordsOf(entry: Entry): string {
  if (SPENT.has(entry.kind) && entry.source && entry.reason)
    return `${entry.source}: ${entry.reason}`;
  return entry.reason || entry.source;
}
