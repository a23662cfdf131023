import type { Stripe, StripeEmbeddedCheckout } from "@stripe/stripe-js";
import { expect, test, vi } from "vitest";
import { onFormFailed, withOneForm } from "../src/stripe";

/** Stripe.js as far as forms go: one at a time, each made when it is let, ended no more than once. */
class OneForm {
  readonly seen: string[] = [];
  readonly #waiting: (() => void)[] = [];
  #taken = false;

  createToken() {
    return this.seen;
  }

  async createEmbeddedCheckoutPage(): Promise<StripeEmbeddedCheckout> {
    if (this.#taken) throw new Error("multiple");
    this.#taken = true;
    this.seen.push("asked");
    await new Promise<void>((let_) => this.#waiting.push(let_));
    this.seen.push("made");
    let ended = false;
    return {
      mount: () => this.seen.push("mounted"),
      unmount: () => this.seen.push("unmounted"),
      destroy: () => {
        if (ended) throw new Error("ended already");
        ended = true;
        this.#taken = false;
        this.seen.push("destroyed");
      },
    };
  }

  async letOne(): Promise<void> {
    while (this.#waiting.length === 0) await Promise.resolve();
    this.#waiting.shift()?.();
  }
}

test("a form that was left while it was made makes room for the next", async () => {
  const real = new OneForm();
  const wrapped = withOneForm(real as unknown as Stripe);
  const left = wrapped.createEmbeddedCheckoutPage({});
  const next = wrapped.createEmbeddedCheckoutPage({});
  await real.letOne();
  await left;
  await real.letOne();
  (await next).mount("#here");
  expect(real.seen).toEqual(["asked", "made", "destroyed", "asked", "made", "mounted"]);
});

test("a form that was ended is not ended again", async () => {
  const real = new OneForm();
  const wrapped = withOneForm(real as unknown as Stripe);
  const first = wrapped.createEmbeddedCheckoutPage({});
  await real.letOne();
  (await first).destroy();
  (await first).destroy();
  (await first).unmount();
  const next = wrapped.createEmbeddedCheckoutPage({});
  await real.letOne();
  await next;
  expect(real.seen).toEqual(["asked", "made", "destroyed", "asked", "made"]);
});

test("a form that could not be made is told of, and the next one is made", async () => {
  const real = new OneForm();
  const told: string[] = [];
  const stop = onFormFailed(() => told.push("failed"));
  let broken = true;
  const wrapped = withOneForm({
    createEmbeddedCheckoutPage: () =>
      broken ? Promise.reject(new Error("away")) : real.createEmbeddedCheckoutPage(),
  } as unknown as Stripe);
  void wrapped.createEmbeddedCheckoutPage({});
  await vi.waitFor(() => expect(told).toEqual(["failed"]), { timeout: 30_000 });
  stop();
  broken = false;
  const next = wrapped.createEmbeddedCheckoutPage({});
  await real.letOne();
  (await next).mount("#here");
  expect(real.seen).toEqual(["asked", "made", "mounted"]);
});

test("all else of Stripe.js is as it was", () => {
  const real = new OneForm();
  const wrapped = withOneForm(real as unknown as Stripe);
  expect(wrapped.createToken("card" as never)).toBe(real.seen);
  expect("createToken" in wrapped).toBe(true);
  expect("createPerson" in wrapped).toBe(false);
});
