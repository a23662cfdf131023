/** Views before a service that a test answers for: the seam is the transport. */

import { QueryClientProvider } from "@tanstack/react-query";
import { createElement, type ReactNode } from "react";
import { createRoot, type Root } from "react-dom/client";
import { afterEach, beforeEach, expect, vi } from "vitest";

type Answers = (path: string, query: URLSearchParams) => Response | Promise<Response>;

let answers: Answers;
let root: Root;

vi.stubGlobal("fetch", async (asked: Request | URL) => {
  const url = asked instanceof URL ? asked : new URL(asked.url);
  return answers(url.pathname.slice(url.pathname.indexOf("/api")), url.searchParams);
});

const { newCache } = await import("../src/service/queries");

beforeEach(() => {
  document.body.innerHTML = "<div id='page'></div>";
  root = createRoot(document.body.firstElementChild as HTMLElement);
});

afterEach(() => root.unmount());

export function answer(as: Answers): void {
  answers = as;
}

export function show(view: ReactNode): void {
  root.render(createElement(QueryClientProvider, { client: newCache() }, view));
}

export async function reads(...words: string[]): Promise<void> {
  await vi.waitFor(
    () => {
      for (const one of words) expect(document.body.textContent).toContain(one);
    },
    { timeout: 30_000 },
  );
}

export function press(name: string): void {
  const buttons = [...document.querySelectorAll("button")];
  const one = buttons.find((button) => button.textContent === name);
  if (!one) throw new Error(`There is no button ${name}.`);
  one.click();
}

export function json(told: object, status = 200): Response {
  const type = status < 400 ? "application/json" : "application/problem+json";
  return new Response(JSON.stringify(told), { status, headers: { "Content-Type": type } });
}

export const AWAY = { code: "ledger_unavailable", detail: "The ledger is away for a moment." };
