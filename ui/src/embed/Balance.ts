import { creditsMoving, creditsNamed } from "../amounts";
import { decimalsFor, secondsLeft, standing } from "../burning";
import { duration } from "../durations";
import { follow, STREAM } from "../service/following";
import type { Balance } from "../service/queries";
import { Refused } from "../service/refused";
import { Embedded, NO_SERVICE } from "./Embedded";
import { made, write } from "./look";
import { ask, lead, placeAt, tokenOf } from "./place";
import { isSoon, worthSaying } from "./words";

const CREDITS = "api/iam/v1/usage/credits";
const ASKED_SECONDS = 3;
const LIVE_SECONDS = 30; // the stream tells what changes; asking is the second look

/** What an account has and what burns of it, live: `<prepaid-balance>`. */
export class PrepaidBalance extends Embedded {
  readonly #said = made("p", { role: "status", class: "hidden" });
  readonly #message = made("p", { role: "status", part: "message", tabindex: "-1" });
  readonly #again = made("button", { type: "button", part: "button" }, "Try again");
  readonly #available = figure("Available");
  readonly #balance = figure("Balance");
  readonly #rate = figure("Burn rate");
  readonly #left = figure("Time left");
  readonly #figures = made(
    "dl",
    { class: "figures", part: "figures" },
    ...[this.#available, this.#balance, this.#rate, this.#left].map((one) => one.whole),
  );
  readonly #buy = made("a", { part: "link" }, "Buy credits");

  #told: { readonly balance: Balance; readonly at: number } | undefined;
  #wrong: Refused | undefined;
  #isNobody = false;
  #isLive = false;
  #goingOn: AbortController | undefined;

  constructor() {
    super();
    this.#again.addEventListener("click", () => this.#retry());
    lead(this.#buy, () => this.token);
    const card = made("div", { class: "card", part: "card" });
    card.append(this.#said, this.#figures, this.#message, this.#again, this.#buy);
    this.root.append(card);
  }

  protected begin(): void {
    this.#told = undefined;
    this.#wrong = undefined;
    const { service } = this;
    this.#isNobody = service !== null && this.token === "";
    if (!service) this.#wrong = new Refused(404, "no_service", NO_SERVICE);
    else if (!this.#isNobody) this.#follow(service);
    this.#show();
  }

  protected end(): void {
    this.#goingOn?.abort();
    this.#goingOn = undefined;
  }

  /** Listens, and asks besides; until it ends, or is refused for good. */
  #follow(service: URL): void {
    const going = new AbortController();
    this.#goingOn = going;
    const stop = follow(new URL(STREAM, service), {
      token: () => tokenOf(this.token),
      hear: ({ event, data }) => {
        if (event === "balance" && !going.signal.aborted) this.#hear(JSON.parse(data) as Balance); // our own service wrote it
      },
      doubt: () => void this.#ask(service, going),
      turn: (live) => {
        this.#isLive = live;
      },
    });
    let asked = Date.now();
    const ticking = setInterval(() => {
      const pause = this.#isLive ? LIVE_SECONDS : ASKED_SECONDS;
      if (document.visibilityState === "visible" && Date.now() - asked >= pause * 1000) {
        asked = Date.now();
        void this.#ask(service, going);
      }
      this.#show();
    }, 1000);
    going.signal.addEventListener("abort", () => {
      clearInterval(ticking);
      stop();
    });
    void this.#ask(service, going);
  }

  async #ask(service: URL, going: AbortController): Promise<void> {
    try {
      const token = await tokenOf(this.token);
      if (token) {
        const balance = await ask<Balance>(new URL(CREDITS, service), token);
        if (!going.signal.aborted) this.#hear(balance);
      } else if (!going.signal.aborted) {
        this.#isNobody = true;
        this.end();
      }
    } catch (error) {
      if (going.signal.aborted) return;
      this.#wrong = error instanceof Refused ? error : new Refused(0, "broken", String(error));
      if (!this.#wrong.passes) this.end();
    }
    this.#show();
  }

  /** Takes what is told; not what is older, when an answer comes after the stream's next word. */
  #hear(balance: Balance): void {
    const before = this.#told && { balance: this.#told.balance, left: this.#timeLeft() };
    if (before && instant(balance) < instant(before.balance)) return;
    this.#told = { balance, at: Date.now() };
    this.#wrong = undefined;
    const words = worthSaying(before, { balance, left: this.#timeLeft() }, this.locale);
    if (words) write(this.#said, words);
    this.#show();
  }

  #retry(): void {
    this.end();
    this.begin();
    this.#message.focus();
  }

  /** Seconds that have gone by since the service told; none while nothing moves, or nobody knows. */
  get #seconds(): number {
    const moves = this.#told && this.#told.balance.burning_rate > 0 && !this.#wrong;
    return moves && this.#told ? Math.max(0, (Date.now() - this.#told.at) / 1000) : 0;
  }

  #timeLeft(): number | null {
    return this.#told ? secondsLeft(this.#told.balance, this.#seconds) : null;
  }

  /** The one face that fits. */
  #show(): void {
    const balance = this.#told?.balance;
    const isEmpty = balance !== undefined && balance.balance === 0 && balance.burning_rate === 0;
    const message = this.#sentence(isEmpty);
    write(this.#message, message);
    this.#message.hidden = message === "";
    this.#again.hidden = !this.#wrong || this.#wrong.passes || !this.service;
    this.#figures.hidden = !balance;
    this.#buy.hidden = !isEmpty || !this.service;
    if (this.service) this.#buy.href = placeAt(this.service, "buy").href;
    if (balance) this.#write(balance);
  }

  #sentence(isEmpty: boolean): string {
    if (this.#isNobody) return "Sign in to see your credits.";
    if (this.#wrong && this.#told && this.#wrong.passes)
      return "The connection is lost. These figures are the last that were known.";
    if (this.#wrong?.status === 401)
      return "Your credits can't be shown: your sign-in is not accepted any more. Sign in again.";
    if (this.#wrong) return `Your credits can't be shown now. ${this.#wrong.message}`;
    if (!this.#told) return "Loading your credits …";
    return isEmpty ? "You have no credits yet." : "";
  }

  #write(balance: Balance): void {
    const { locale } = this;
    const { left, available } = standing(balance, this.#seconds);
    const burns = balance.burning_rate > 0;
    const places = decimalsFor(balance.burning_rate);
    const told = (amount: number) =>
      burns ? `${creditsMoving(amount, places, locale)} credits` : creditsNamed(amount, locale);
    this.#available.write(told(available));
    this.#balance.write(told(left));
    this.#balance.show(left !== available);
    this.#rate.write(`${creditsNamed(balance.burning_rate_per_hour, locale)} an hour`);
    this.#rate.show(burns);
    const lasts = this.#timeLeft();
    this.#left.write(lasts === null ? "" : duration(lasts));
    this.#left.show(burns && lasts !== null);
    this.#left.whole.classList.toggle("soon", isSoon({ left: lasts }));
  }
}

function instant(balance: Balance): number {
  return Date.parse(balance.credits.last_update);
}

interface Figure {
  readonly whole: HTMLElement;
  readonly write: (text: string) => void;
  readonly show: (is: boolean) => void;
}

/** A name with its figure. */
function figure(name: string): Figure {
  const value = made("dd", { part: "value" });
  const whole = made("div", { part: "figure" }, made("dt", { part: "name" }, name), value);
  return {
    whole,
    write: (text) => write(value, text),
    show: (is) => {
      whole.hidden = !is;
    },
  };
}
