/** Stripe.js, loaded when somebody is about to pay: from Stripe, or from its simulator's stand-in. */

import type {
  StripeEmbeddedCheckout as Form,
  Stripe,
  StripeEmbeddedCheckoutOptions,
} from "@stripe/stripe-js";
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
  return withOneForm(loaded);
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

const FAILED = "prepaid:form-failed";

/** Tells when Stripe.js could not make the form: its React components would show nothing at all. */
export function onFormFailed(tell: () => void): () => void {
  window.addEventListener(FAILED, tell);
  return () => window.removeEventListener(FAILED, tell);
}

/**
 * Stripe allows one form at a time, and its React components forget one that is still being made
 * when its view is left: the next view would get no form. So what was made before is done away with
 * first. The rest of Stripe.js is passed on as it is.
 */
export function withOneForm(loaded: Stripe): Stripe {
  let last: Promise<Form | undefined> = Promise.resolve(undefined);
  const create = (options: StripeEmbeddedCheckoutOptions): Promise<Form> => {
    const made = last.then(async (before) => {
      before?.destroy();
      return endedOnce(await loaded.createEmbeddedCheckoutPage(options));
    });
    const mine = made.catch(() => undefined);
    last = mine;
    return made.catch(() => {
      if (last === mine) window.dispatchEvent(new Event(FAILED)); // else it was left, and nobody waits
      return new Promise<Form>(() => {}); // nobody catches it there, and it has been told
    });
  };
  return new Proxy({} as Stripe, {
    has: (_, name) => name in loaded,
    get: (_, name) => {
      if (name === "createEmbeddedCheckoutPage") return create;
      const part: unknown = Reflect.get(loaded, name);
      return typeof part === "function" ? part.bind(loaded) : part;
    },
  });
}

/** A form that may be destroyed again, and then nothing is done. */
function endedOnce(form: Form): Form {
  let ended = false;
  return {
    mount: (location) => form.mount(location),
    unmount: () => {
      if (!ended) form.unmount();
    },
    destroy: () => {
      if (ended) return;
      ended = true;
      form.destroy();
    },
  };
}
