/** Where the service is, who asks it, and how its page is opened: what both elements lean on. */

import { Refused, refusedBy, unreachable } from "../service/refused";

const script = document.currentScript;
const ADDRESS = script instanceof HTMLScriptElement ? script.src : "";

/** Where the service's routes begin: as the attribute says, else one above this script's folder. */
export function serviceAt(written: string | null, script = ADDRESS): URL | null {
  const address = written ? written.replace(/\/*$/, "/") : script && new URL("..", script);
  return address ? URL.parse(address, document.baseURI) : null;
}

/** A token, or what is asked for one whenever one is needed. */
export type Token = string | (() => string | Promise<string>);

/** Who asks; empty if nobody has said it. What a page can't say now it may say later. */
export async function tokenOf(token: Token): Promise<string> {
  if (typeof token === "string") return token;
  try {
    return (await token()) ?? "";
  } catch {
    throw new Refused(0, "no_token", "This page could not say who you are.");
  }
}

/** What the service answers. */
export async function ask<T>(address: URL, token = ""): Promise<T> {
  const headers = token ? { Authorization: `Bearer ${token}` } : {};
  const answer = await fetch(address, { headers, cache: "no-store" }).catch(() => {
    throw unreachable();
  });
  const told: unknown = await answer.json().catch(() => null);
  if (!answer.ok || told === null) throw refusedBy(answer.status, told);
  return told as T; // our own service wrote it
}

/** The address of a place of the service's page, without a token in it. */
export function placeAt(service: URL, place: string): URL {
  return new URL(`credits/${place}`, service);
}

/** Lets a link be followed as whoever the token names; without a token the link is all there is. */
export function lead(link: HTMLAnchorElement, token: () => Token): void {
  const follow = (event: MouseEvent) => {
    if (event.button > 1 || token() === "") return;
    event.preventDefault();
    const elsewhere = event.button === 1 || event.metaKey || event.ctrlKey || event.shiftKey;
    void goTo(link.href, token(), elsewhere ? "_blank" : link.target || "_self");
  };
  for (const press of ["click", "auxclick"] as const) link.addEventListener(press, follow);
}

/**
 * The token travels in the fragment, which no server sees, and is in no link of the document: the
 * address is put together when somebody goes.
 */
async function goTo(address: string, token: Token, target: string): Promise<void> {
  // A tab has to be opened while the browser still knows that somebody pressed something.
  const tab = target === "_blank" ? window.open("about:blank", "_blank") : null;
  const known = await tokenOf(token).catch(() => "");
  const whole = known ? `${address}#token=${encodeURIComponent(known)}` : address;
  if (tab) {
    tab.opener = null;
    tab.location.replace(whole);
  } else {
    window.open(whole, target === "_blank" ? "_self" : target);
  }
}
