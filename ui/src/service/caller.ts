/** Who the page was opened by. */

import { useQuery } from "@tanstack/react-query";
import { answered, service } from "./client";
import type { WhoamiOut } from "./schema";

export type Scope = WhoamiOut["scope"];

/** What the API keys of this service begin with. */
const KEY = "prepaid_";

/** Whether a token may be somebody's who has no account: a platform's own are its users'. */
export function isKey(token: string): boolean {
  return token.startsWith(KEY);
}

/** Who has the token, and what it allows. */
export function useCaller() {
  return useQuery({
    queryKey: ["whoami"],
    queryFn: () => answered(service.GET("/api/iam/v1/whoami")),
    staleTime: Number.POSITIVE_INFINITY,
  });
}
