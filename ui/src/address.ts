/** Which view the address names, and how to go to another without loading the page again. */

import { useSyncExternalStore } from "react";
import { HOME } from "./told";

export interface Place {
  /** Below the page's home, without slashes around it: "" or "buy/return". */
  readonly path: string;
  readonly query: URLSearchParams;
}

const CHANGED = "prepaid:address";

/** The place that an address names, seen from the page's home. */
export function placeOf(address: string, home: URL): Place {
  const url = new URL(address);
  const below = url.pathname.startsWith(home.pathname)
    ? url.pathname.slice(home.pathname.length)
    : "";
  return { path: below.replace(/^\/+|\/+$/g, ""), query: url.searchParams };
}

/** The address of a place: what a link leads to. */
export function addressOf(place: string): string {
  if (place === "") return HOME.pathname.replace(/\/$/, "");
  return new URL(place, HOME).href.slice(HOME.origin.length);
}

/** A place with what is chosen there, which stands behind its question mark. */
export function placeWith(place: string, chosen: object): string {
  const query = new URLSearchParams(Object.entries(chosen).filter(([, written]) => written !== ""));
  return query.size > 0 ? `${place}?${query}` : place;
}

export function goTo(place: string, how: "push" | "replace" = "push"): void {
  window.history[how === "push" ? "pushState" : "replaceState"](null, "", addressOf(place));
  window.dispatchEvent(new Event(CHANGED));
}

function listen(hear: () => void): () => void {
  for (const event of ["popstate", CHANGED]) window.addEventListener(event, hear);
  return () => {
    for (const event of ["popstate", CHANGED]) window.removeEventListener(event, hear);
  };
}

export function usePlace(): Place {
  const address = useSyncExternalStore(listen, () => window.location.href);
  return placeOf(address, HOME);
}
