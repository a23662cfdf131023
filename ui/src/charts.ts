/** What the charts show, and their tables beside them: the same numbers, put into rows once. */

import type { BalancePoint, Spending, SpendingBy } from "./service/queries";

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

export interface Span {
  readonly id: string;
  readonly name: string;
  readonly milliseconds: number;
}

export const WEEK: Span = { id: "7d", name: "7 days", milliseconds: 7 * DAY };

export const SPANS: readonly Span[] = [
  { id: "24h", name: "24 hours", milliseconds: DAY },
  WEEK,
  { id: "30d", name: "30 days", milliseconds: 30 * DAY },
  { id: "90d", name: "90 days", milliseconds: 90 * DAY },
];

/** Where a span that ends now begins. */
export function beginning(span: Span, now: number): string {
  return new Date(now - span.milliseconds).toISOString();
}

export interface Step {
  readonly at: number;
  readonly balance: number;
}

/**
 * A balance as the steps of a line: what there was from an instant on. It begins with the first
 * credits, if there were none before: whoever came an hour ago sees the hour.
 */
export function stepsOf(points: readonly BalancePoint[]): Step[] {
  const steps = points.map(({ at, balance }) => ({ at: Date.parse(at), balance }));
  return steps[0]?.balance === 0 && steps.length > 2 ? steps.slice(1) : steps;
}

/** What may be between two marks, and how many there are at most. */
const BETWEEN = [
  ...[SECOND, 5 * SECOND, 15 * SECOND, MINUTE, 5 * MINUTE, 15 * MINUTE, HOUR, 4 * HOUR],
  ...[DAY, 5 * DAY, 15 * DAY],
];
const MOST_MARKS = 8;

/** How far apart the marks on an axis are. */
export function between(first: number, last: number): number {
  return BETWEEN.find((one) => (last - first) / one <= MOST_MARKS) ?? 15 * DAY;
}

/** Instants to mark on the axis: whole seconds to days of the reader's own, or else its end. */
export function marksOf(first: number, last: number): number[] {
  const apart = between(first, last);
  const at = new Date(first);
  if (apart < HOUR) at.setMinutes(0, 0, 0);
  else at.setHours(0, 0, 0, 0);
  const marks: number[] = [];
  while (at.getTime() <= last) {
    if (at.getTime() >= first) marks.push(at.getTime());
    if (apart < DAY) at.setTime(at.getTime() + apart);
    else at.setDate(at.getDate() + apart / DAY); // a day may have 23 hours
  }
  return marks.length > 0 ? marks : [last];
}

export function markNamed(at: number, apart: number, locale?: string): string {
  const minutes: Intl.DateTimeFormatOptions = { hour: "numeric", minute: "2-digit" };
  const seconds: Intl.DateTimeFormatOptions = { ...minutes, second: "2-digit" };
  const days: Intl.DateTimeFormatOptions = { month: "short", day: "numeric" };
  const options = apart < MINUTE ? seconds : apart < DAY ? minutes : days;
  return new Intl.DateTimeFormat(locale, options).format(at);
}

/** Credits on an axis, where a glance has to do. */
export function roughly(credits: number, locale?: string): string {
  return new Intl.NumberFormat(locale, {
    notation: "compact",
    maximumSignificantDigits: 3,
  }).format(credits);
}

export interface Cost {
  readonly id: string;
  readonly name: string;
  readonly type: string;
  readonly credits: number;
  readonly spent: number;
  readonly accrued: number;
}

/** What credits went to, the most expensive first, and all the others in one. */
export function costsOf({ spending, others }: Spending, by: SpendingBy): Cost[] {
  const costs = spending.map(({ resource, resource_given_name, resource_type: type, ...cost }) => ({
    id: `${type} ${resource}`,
    name: (by === "resource" ? resource_given_name || type : type) || "Not named",
    type,
    credits: cost.credits,
    spent: cost.spent,
    accrued: cost.accrued,
  }));
  if (others.count === 0) return costs;
  const { count, credits, spent, accrued } = others;
  const name = `${count} ${count === 1 ? "other" : "others"}`;
  return [...costs, { id: "others", name, type: "", credits, spent, accrued }];
}

const LONGEST = 16;

/** A name that has room beside its bar; the table has all of it. */
export function shortened(name: string): string {
  const letters = [...name];
  return letters.length > LONGEST ? `${letters.slice(0, LONGEST - 1).join("")}…` : name;
}
