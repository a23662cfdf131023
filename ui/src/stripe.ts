/** Stripe.js, loaded when somebody is about to pay: from Stripe, or from its simulator's stand-in. */

import type { Stripe } from "@stripe/stripe-js";
import { loadStripe } from "@stripe/stripe-js/pure";
import { told } from "./told";

let loading: Promise<Stripe> | undefined;

/** Stripe.js with our key. A failure is not remembered: the next call tries again. */
export function stripe(): Promise<Stripe> {
  loading ??= load().catch((error: unknown) => {
    loading = undefined;
    throw error;
  });
  return loading;
}

async function load(): Promise<Stripe> {
  if (told.simulator) await script(told.stripe_js); // Stripe's own loader takes what is there
  const loaded = await loadStripe(told.stripe_key);
  if (!loaded) throw new Error("Stripe.js was not loaded.");
  return loaded;
}

function script(source: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const element = document.createElement("script");
    element.src = source;
    element.onload = () => resolve();
    element.onerror = () => {
      element.remove();
      reject(new Error(`${source} was not loaded.`));
    };
    document.head.append(element);
  });
}
