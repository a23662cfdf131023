/** Amounts as people read them. Credits and money never mix, and neither is guessed. */

/** Currencies that Stripe counts in whole units: 500 is 500 yen. */
const WHOLE = new Set("bif clp djf gnf jpy kmf krw mga pyg rwf vnd vuv xaf xof xpf".split(" "));

/** Currencies that Stripe counts in thousandths. */
const THOUSANDTHS = new Set("bhd jod kwd omr tnd".split(" "));

/** How many decimals Stripe counts a currency in; it isn't always what the currency has. */
export function decimals(currency: string): number {
  const name = currency.toLowerCase();
  if (WHOLE.has(name)) return 0;
  return THOUSANDTHS.has(name) ? 3 : 2;
}

/** Money in minor units, in the reader's locale and the money's currency. */
export function money(minor: number, currency: string, locale?: string): string {
  const format = new Intl.NumberFormat(locale, { style: "currency", currency });
  return format.format(minor / 10 ** decimals(currency));
}

/** What one credit costs: with as many digits as it takes to tell two packages apart. */
export function moneyPerCredit(
  minor: number,
  currency: string,
  credits: number,
  locale?: string,
): string {
  const format = new Intl.NumberFormat(locale, {
    style: "currency",
    currency,
    maximumFractionDigits: decimals(currency) + 2,
  });
  return format.format(minor / 10 ** decimals(currency) / credits);
}

/** Credits: all the decimals there are, and no more. */
export function credits(amount: number, locale?: string): string {
  return new Intl.NumberFormat(locale, { maximumFractionDigits: 6 }).format(amount);
}

/** Credits that move: always as many decimals, so that the figure doesn't jump. */
export function creditsMoving(amount: number, decimalPlaces: number, locale?: string): string {
  const format = new Intl.NumberFormat(locale, {
    minimumFractionDigits: decimalPlaces,
    maximumFractionDigits: decimalPlaces,
    roundingMode: "floor", // nobody is shown more than there is
  } as Intl.NumberFormatOptions);
  return format.format(amount);
}

/** Credits with their sign, as an entry has them. */
export function creditsSigned(amount: number, locale?: string): string {
  const format = new Intl.NumberFormat(locale, {
    maximumFractionDigits: 6,
    signDisplay: "exceptZero",
  });
  return format.format(amount);
}

/** "1 credit", "50 credits". */
export function creditsNamed(amount: number, locale?: string): string {
  return `${credits(amount, locale)} ${Math.abs(amount) === 1 ? "credit" : "credits"}`;
}

interface Package {
  readonly id: string;
  readonly amount: number;
  readonly currency: string;
  readonly credits: number;
}

/**
 * The ids of the packages with the lowest price for a credit. Packages of different currencies
 * aren't compared, and where all cost the same none is best.
 */
export function bestValues(packages: readonly Package[]): ReadonlySet<string> {
  const best = new Set<string>();
  for (const currency of new Set(packages.map((one) => one.currency))) {
    const same = packages.filter((one) => one.currency === currency);
    const rates = same.map((one) => one.amount / one.credits);
    const lowest = Math.min(...rates);
    if (Math.max(...rates) === lowest) continue;
    same.forEach((one, index) => {
      if (rates[index] === lowest) best.add(one.id);
    });
  }
  return best;
}
