/** Places, words and forms of the operator's console. */

import type { Account } from "./service/console";

export const STATES: Readonly<Record<string, string>> = {
  open: "open",
  processing: "being paid",
  credited: "credited",
  failed: "failed",
  expired: "expired",
};

export const SOURCES: Readonly<Record<string, string>> = {
  purchase: "Bought",
  promotion: "Promotional",
  adjustment: "Adjustments",
};

/** The place of an account in the console. */
export function placeOfAccount(uid: string, more: Record<string, string> = {}): string {
  return withQuery(`console/accounts/${encodeURIComponent(uid)}`, more);
}

export function withQuery(place: string, more: Record<string, string>): string {
  const query = new URLSearchParams(Object.entries(more).filter(([, written]) => written !== ""));
  return query.size > 0 ? `${place}?${query}` : place;
}

/** The last part of a place, as it was before it was written into an address. */
export function named(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part; // somebody wrote the address by hand
  }
}

/** What a person is called, as far as it is known. */
export function nameOf(account: Account): string {
  const name = [account.first_name, account.last_name].filter(Boolean).join(" ");
  return name || account.handle || account.uid;
}

/** Whether it is an amount of credits that can be granted or taken back. */
export function isAmount(written: string): boolean {
  return /^\d{1,9}(\.\d{1,6})?$/.test(written) && Number(written) > 0;
}

/** An idempotency key that nobody has used. It needs no secure context, as randomUUID does. */
export function newKey(): string {
  const bytes = window.crypto.getRandomValues(new Uint8Array(16));
  return `console-${[...bytes].map((one) => one.toString(16).padStart(2, "0")).join("")}`;
}

/** The last instant of a day here; undefined for what is no day. */
export function endOf(day: string): string | undefined {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(day)) return undefined;
  const at = new Date(`${day}T00:00`);
  at.setDate(at.getDate() + 1);
  return Number.isNaN(at.getTime()) ? undefined : at.toISOString();
}
