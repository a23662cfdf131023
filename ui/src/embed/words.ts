/** What a screen reader is told by itself: what happened, and never that a second went by. */

import { creditsNamed } from "../amounts";
import type { Balance } from "../service/queries";

const SOON_SECONDS = 600;

/** What is worth a word, between what was told before and now; mostly nothing. */
export function worthSaying(
  before: Told | undefined,
  now: Told,
  locale: string | undefined,
): string {
  if (!before) return "";
  const has = `${creditsNamed(now.balance.available, locale)} available.`;
  if (now.balance.balance > before.balance.balance) return `Credits were added: ${has}`;
  const burnt = before.balance.burning_rate > 0;
  const burns = now.balance.burning_rate > 0;
  if (burns && !burnt)
    return `Credits burn now: ${creditsNamed(now.balance.burning_rate_per_hour, locale)} an hour.`;
  if (burnt && !burns) return `Nothing burns any more: ${has}`;
  if (isSoon(now) && !isSoon(before)) return "Credits run out in less than 10 minutes.";
  return "";
}

export interface Told {
  readonly balance: Balance;
  /** How long they last, in seconds; null if nothing that burns could use them up. */
  readonly left: number | null;
}

export function isSoon({ left }: Pick<Told, "left">): boolean {
  return left !== null && left < SOON_SECONDS;
}
