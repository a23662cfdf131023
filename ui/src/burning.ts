/**
 * What burns, counted on between two answers of the service. It is only shown: the next answer
 * takes its place, and nothing is decided by it.
 */

import type { Balance, Reservation } from "./service/queries";

/** An account as it is now: what is left of it is reserved, or available. */
export interface Standing {
  readonly left: number;
  readonly reserved: number;
  readonly available: number;
}

/** Credits used by a reservation, so many seconds after the service told of it. */
export function usedBy(one: Reservation, seconds: number): number {
  return Math.min(one.used + one.burning_rate * Math.max(0, seconds), one.credits);
}

/** The account, so many seconds after the service told of it. */
export function standing(balance: Balance, seconds: number): Standing {
  const used = balance.reservations.reduce((sum, one) => sum + usedBy(one, seconds), 0);
  const reserved = Math.max(0, balance.reserved - used);
  return { left: reserved + balance.available, reserved, available: balance.available };
}

export type Level = "calm" | "warning" | "critical";

const WARNING = 0.75;
const CRITICAL = 0.9;

/** How near a reservation is to its limit; null without one. */
export function share(one: Reservation, seconds: number): number | null {
  if (one.limit === null) return null;
  return one.limit === 0 ? 1 : Math.min(1, usedBy(one, seconds) / one.limit);
}

export function level(part: number): Level {
  if (part >= CRITICAL) return "critical";
  return part >= WARNING ? "warning" : "calm";
}

const FEWEST = 2;
const MOST = 6;

/** How many decimals show that something moves each second at this rate, but not more than six. */
export function decimalsFor(rate: number): number {
  if (rate <= 0) return FEWEST;
  return Math.min(MOST, Math.max(FEWEST, Math.ceil(-Math.log10(rate))));
}

/** The rate of an hour, in credits: what people compare. */
export function perHour(rate: number): number {
  return Math.round(rate * 3600 * 1e6) / 1e6;
}

/**
 * How long it goes on, so many seconds after the service told of it; null if nothing without a limit
 * burns. Both instants are the service's, so that it doesn't matter how the clock here goes.
 */
export function secondsLeft(balance: Balance, seconds: number): number | null {
  if (balance.depletes_at === null) return null;
  const told = Date.parse(balance.depletes_at) - Date.parse(balance.credits.last_update);
  return Math.max(0, told / 1000 - seconds);
}

/** How long a reservation goes on until its limit is used up; null if it has none, or doesn't burn. */
export function lastsFor(one: Reservation, seconds: number): number | null {
  if (one.limit === null || one.burning_rate <= 0) return null;
  return Math.max(0, (one.limit - usedBy(one, seconds)) / one.burning_rate);
}
