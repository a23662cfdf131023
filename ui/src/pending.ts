/**
 * The checkouts that this browser opened last and hasn't seen the end of: who closed the tab while
 * paying is shown the way back. They are notes of where to ask, never of what was paid.
 */

import { useMemo, useSyncExternalStore } from "react";

const KEPT = "prepaid:checkout";
const CHANGED = "prepaid:pending";

/** So many are noted at most: who only looks at packages leaves one for each. */
const MOST = 3;

function noted(written: string): string[] {
  return written.split(" ").filter(Boolean);
}

function read(): string {
  return window.localStorage.getItem(KEPT) ?? "";
}

function write(sessions: readonly string[]): void {
  if (sessions.length > 0) window.localStorage.setItem(KEPT, sessions.join(" "));
  else window.localStorage.removeItem(KEPT);
  window.dispatchEvent(new Event(CHANGED));
}

export function notePending(session: string): void {
  const others = noted(read()).filter((one) => one !== session);
  write([...others, session].slice(-MOST));
}

/** Forgets this checkout, if it is noted. */
export function forgetPending(session: string): void {
  const sessions = noted(read());
  if (sessions.includes(session)) write(sessions.filter((one) => one !== session));
}

function listen(hear: () => void): () => void {
  for (const event of ["storage", CHANGED]) window.addEventListener(event, hear);
  return () => {
    for (const event of ["storage", CHANGED]) window.removeEventListener(event, hear);
  };
}

/** Their session ids, the last one at the end. */
export function usePending(): readonly string[] {
  const written = useSyncExternalStore(listen, read);
  return useMemo(() => noted(written), [written]);
}
