/** The service, as its own OpenAPI document describes it. */

import createClient, { type Middleware } from "openapi-fetch";
import { currentToken } from "../identity";
import { SERVICE } from "../told";
import type { paths } from "./schema";

/** A request that the service refused, or (status 0) that didn't reach it. */
export class Refused extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
  ) {
    super(message);
    this.name = "Refused";
  }

  /** Whether the same request may succeed by itself a little later. */
  get passes(): boolean {
    return this.status === 0 || this.status === 429 || this.status >= 500;
  }
}

const UNREACHABLE = "The service can't be reached. Is this machine online?";

const withToken: Middleware = {
  onRequest({ request }) {
    const token = currentToken();
    if (token) request.headers.set("Authorization", `Bearer ${token}`);
    return request;
  },
  onError() {
    return new Refused(0, "unreachable", UNREACHABLE);
  },
};

const base = SERVICE.href.replace(/\/$/, "");
export const service = createClient<paths, "application/json">({ baseUrl: base });
service.use(withToken);

interface Answer<T> {
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

/** The refusal in a problem document; anything else on the way may have answered, too. */
export function refusedBy(status: number, problem: unknown): Refused {
  const told = (typeof problem === "object" && problem !== null ? problem : {}) as {
    readonly code?: unknown;
    readonly detail?: unknown;
  };
  const sentence =
    typeof told.detail === "string"
      ? told.detail
      : `The service answered ${status} without a reason.`;
  return new Refused(status, typeof told.code === "string" ? told.code : "", sentence);
}

/** The demo user's token. The route is the demo's alone, so no document describes it. */
export async function demoToken(): Promise<string> {
  const answer = await fetch(new URL("demo/token", SERVICE), { method: "POST" }).catch(() => {
    throw new Refused(0, "unreachable", UNREACHABLE);
  });
  const told = (await answer.json().catch(() => ({}))) as { readonly token?: string };
  if (!answer.ok || !told.token) throw refusedBy(answer.status, told);
  return told.token;
}
