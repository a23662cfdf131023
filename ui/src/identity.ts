/**
 * Whose page this is: a token that the platform hands over, kept for as long as the tab lives.
 *
 * It comes in the address, as `#token=...`, and is taken out of it at once; or it is what Datalayer's
 * own pages keep for this origin.
 */

import { useSyncExternalStore } from "react";
import { told } from "./told";

const KEPT = "prepaid:token";
const DATALAYER = "@datalayer/iam:token";
const CHANGED = "prepaid:identity";

/** The token in a fragment such as `#token=abc&more=...`, and the fragment without it. */
export function tokenIn(fragment: string): { token: string; rest: string } {
  const parts = new URLSearchParams(fragment.replace(/^#/, ""));
  const token = parts.get("token") ?? "";
  parts.delete("token");
  const rest = parts.toString();
  return { token, rest: rest && `#${rest}` };
}

/** Keeps the token that the address brings, and takes it out of the address and the history. */
export function takeTokenFromAddress(): void {
  const { token, rest } = tokenIn(window.location.hash);
  if (!token) return;
  const { pathname, search } = window.location;
  window.history.replaceState(null, "", pathname + search + rest);
  enter(token);
}

export function enter(token: string): void {
  refused.delete(token);
  isLeaving = false;
  window.sessionStorage.setItem(KEPT, token);
  window.dispatchEvent(new Event(CHANGED));
}

/** Tokens that were not accepted: Datalayer's may stay in its place. */
const refused = new Set<string>();

export function leave(): void {
  refused.add(currentToken());
  window.sessionStorage.removeItem(KEPT);
  window.dispatchEvent(new Event(CHANGED));
}

let isPaying = false;
let isLeaving = false;

/** Leaves; but not while somebody pays: Stripe's form would be gone with all that was typed. */
export function leaveSoon(): void {
  isLeaving = isPaying;
  if (isPaying) window.dispatchEvent(new Event(CHANGED));
  else leave();
}

/** While Stripe's form is there. What it returns ends that. */
export function pays(): () => void {
  isPaying = true;
  return () => {
    isPaying = false;
    if (isLeaving) leave();
    isLeaving = false;
  };
}

/** Whether the token isn't accepted any more, and will be forgotten when the payment is over. */
export function useLeaving(): boolean {
  return useSyncExternalStore(listen, () => isLeaving);
}

export function currentToken(): string {
  const own = window.sessionStorage.getItem(KEPT);
  const token = own ?? (told.demo ? null : window.localStorage.getItem(DATALAYER)) ?? "";
  return refused.has(token) ? "" : token;
}

function listen(hear: () => void): () => void {
  for (const event of ["storage", CHANGED]) window.addEventListener(event, hear);
  return () => {
    for (const event of ["storage", CHANGED]) window.removeEventListener(event, hear);
  };
}

export function useToken(): string {
  return useSyncExternalStore(listen, currentToken);
}
