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

  /**
   * Whether the same request may succeed by itself a little later. So may what has no code: it is
   * no answer of the service's, but a proxy's that doesn't find it just now, whatever its status.
   */
  get passes(): boolean {
    return this.status === 0 || this.status === 429 || this.status >= 500 || this.code === "";
  }
}

/** The refusal of a request that nothing answered. */
export function unreachable(): Refused {
  return new Refused(0, "unreachable", "The service can't be reached. Is this machine online?");
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
