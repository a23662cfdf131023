/** The service, as its own OpenAPI document describes it. */

import createClient, { type Middleware } from "openapi-fetch";
import { currentToken } from "../identity";
import { SERVICE } from "../told";
import { Refused, refusedBy, unreachable } from "./refused";
import type { paths } from "./schema";

export { Refused, refusedBy };

const withToken: Middleware = {
  onRequest({ request }) {
    const token = currentToken();
    if (token) request.headers.set("Authorization", `Bearer ${token}`);
    return request;
  },
  onError() {
    return unreachable();
  },
};

const base = SERVICE.href.replace(/\/$/, "");
export const service = createClient<paths, "application/json">({ baseUrl: base });
service.use(withToken);

export interface Answer<T> {
  readonly data?: T;
  readonly error?: unknown;
  readonly response: Response;
}

/** What the service said, if it did what was asked. */
export async function answered<T>(asked: Promise<Answer<T>>): Promise<T> {
  const { data, error, response } = await asked;
  if (data !== undefined && response.ok) return data;
  throw refusedBy(response.status, error);
}

export type Part = "user" | "operator";

const DOORS: Readonly<Record<Part, string>> = {
  user: "demo/token",
  operator: "demo/operator-token",
};

/** A token of the demo's. The routes are the demo's alone, so no document describes them. */
export async function demoToken(part: Part): Promise<string> {
  const answer = await fetch(new URL(DOORS[part], SERVICE), { method: "POST" }).catch(() => {
    throw unreachable();
  });
  const told = (await answer.json().catch(() => ({}))) as { readonly token?: string };
  if (!answer.ok || !told.token) throw refusedBy(answer.status, told);
  return told.token;
}
