/** What stands on the page while the service is asked again. */

import { useState } from "react";

/**
 * Why a query has nothing to show, until that is known anew. A query forgets its error when it asks
 * again: what told of it would go and come back each time, and be read out each time.
 */
export function useStandingError(query: {
  readonly error: Error | null;
  readonly isPending: boolean;
}): Error | null {
  const [last, keep] = useState<Error | null>(null);
  const standing = query.isPending ? last : query.error;
  if (standing !== last) keep(standing);
  return standing;
}
