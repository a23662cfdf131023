/**
 * The checkout that this browser opened last and hasn't seen the end of: who closed the tab while
 * paying is shown the way back. It is a note of where to ask, never of what was paid.
 */

import { useSyncExternalStore } from "react";

const KEPT = "prepaid:checkout";
const CHANGED = "prepaid:pending";

export function notePending(session: string): void {
  window.localStorage.setItem(KEPT, session);
  window.dispatchEvent(new Event(CHANGED));
}

/** Forgets this checkout, if it is the one that is noted. */
export function forgetPending(session: string): void {
  if (window.localStorage.getItem(KEPT) !== session) return;
  window.localStorage.removeItem(KEPT);
  window.dispatchEvent(new Event(CHANGED));
}

function listen(hear: () => void): () => void {
  for (const event of ["storage", CHANGED]) window.addEventListener(event, hear);
  return () => {
    for (const event of ["storage", CHANGED]) window.removeEventListener(event, hear);
  };
}

export function usePending(): string {
  return useSyncExternalStore(listen, () => window.localStorage.getItem(KEPT) ?? "");
}
