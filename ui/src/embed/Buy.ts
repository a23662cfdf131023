import { creditsNamed, money } from "../amounts";
import type { Price } from "../service/queries";
import { Refused } from "../service/refused";
import { Embedded, NO_SERVICE } from "./Embedded";
import { made, write } from "./look";
import { ask, lead, placeAt } from "./place";

const PRICES = "api/iam/stripe/v1/prices";

type Face =
  | { readonly kind: "loading" }
  | { readonly kind: "any" }
  | { readonly kind: "one"; readonly price: Price }
  | { readonly kind: "gone" }
  | { readonly kind: "wrong"; readonly why: string };

/** A way to pay for a package, or to choose one: `<prepaid-buy package="price_...">`. */
export class PrepaidBuy extends Embedded {
  readonly #words = made("slot", {});
  readonly #elsewhere = made("span", { class: "hidden" });
  readonly #link = made("a", { part: "link" }, this.#words, this.#elsewhere);
  readonly #message = made("p", { role: "status", part: "message", class: "beside" });
  readonly #again = made("button", { type: "button", part: "button" }, "Try again");
  #turn = 0;

  constructor() {
    super();
    lead(this.#link, () => this.token);
    this.#again.addEventListener("click", () => this.begin());
    this.root.append(this.#link, this.#message, this.#again);
  }

  protected begin(): void {
    this.#turn += 1;
    const { service } = this;
    if (!service) this.#show({ kind: "wrong", why: NO_SERVICE });
    else if (!this.#package) this.#show({ kind: "any" });
    else void this.#look(service, this.#turn);
  }

  protected end(): void {
    this.#turn += 1;
  }

  get #package(): string {
    return this.getAttribute("package") ?? "";
  }

  async #look(service: URL, turn: number): Promise<void> {
    this.#show({ kind: "loading" });
    const face = await this.#found(service);
    if (turn === this.#turn) this.#show(face);
  }

  async #found(service: URL): Promise<Face> {
    try {
      const price = (await prices(service)).find((one) => one.id === this.#package);
      return price ? { kind: "one", price } : { kind: "gone" };
    } catch (error) {
      return { kind: "wrong", why: error instanceof Refused ? error.message : String(error) };
    }
  }

  #show(face: Face): void {
    const { service } = this;
    const [name, message] = this.#told(face);
    write(this.#words, name);
    write(this.#elsewhere, this.#target === "_blank" ? " (opens in a new tab)" : "");
    write(this.#message, message);
    this.#message.hidden = message === "";
    this.#link.hidden = !service || face.kind === "loading";
    if (service) this.#link.href = this.#address(service, face).href;
    this.#link.target = this.#target;
    this.#again.hidden = face.kind !== "wrong" || !service;
  }

  /** What the link is called, and what is said beside it. */
  #told(face: Face): [string, string] {
    switch (face.kind) {
      case "loading":
        return ["", "Loading the package …"];
      case "any":
        return ["Buy credits", ""];
      case "gone":
        return ["See the packages", "This package is not on sale any more."];
      case "wrong":
        return ["Buy credits", `The package can't be shown now. ${face.why}`];
      case "one": {
        const { credits, amount, currency, tax_behavior } = face.price;
        const cost = money(amount, currency, this.locale);
        const tax = tax_behavior === "exclusive" ? "Plus tax where it applies." : "";
        return [`Buy ${creditsNamed(credits, this.locale)} for ${cost}`, tax];
      }
    }
  }

  #address(service: URL, face: Face): URL {
    const address = placeAt(service, "buy");
    if (this.#package && face.kind !== "gone") address.searchParams.set("package", this.#package);
    return address;
  }

  get #target(): string {
    return this.getAttribute("target") ?? "_self";
  }
}

const asked = new Map<string, Promise<readonly Price[]>>();
const REMEMBERED_SECONDS = 60;

/** What is on sale: asked for once for all the elements of a page. */
function prices(service: URL): Promise<readonly Price[]> {
  const known = asked.get(service.href);
  if (known) return known;
  const asking = ask<{ readonly prices: readonly Price[] }>(new URL(PRICES, service)).then(
    (told) => told.prices,
  );
  asked.set(service.href, asking);
  const forget = () => void asked.delete(service.href);
  asking.then(() => setTimeout(forget, REMEMBERED_SECONDS * 1000), forget);
  return asking;
}
