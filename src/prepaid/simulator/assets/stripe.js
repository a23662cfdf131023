// A stand-in for Stripe.js, served by the Stripe simulator. It takes no real money.
//
// It gives a page what embedded checkout needs of Stripe.js (endive): window.Stripe(key), whose
// createEmbeddedCheckoutPage() shows the simulator's payment form in a frame.
(() => {
  "use strict";

  const SIMULATOR = "{{simulator}}";
  let mounted = null; // one embedded page at a time, as at Stripe

  const refuse = (name) => () =>
    Promise.reject(new Error(`The Stripe simulator has no ${name}: it only does embedded checkout.`));

  const frameFor = (secret, publishableKey) => {
    const session = secret.split("_secret_")[0];
    const shown = new URLSearchParams({
      client_secret: secret,
      key: publishableKey,
      parent: window.location.origin,
    });
    const frame = document.createElement("iframe");
    frame.src = `${SIMULATOR}/_simulator/checkout/${session}#${shown}`;
    frame.title = "Secure payment form (Stripe simulator, no real money)";
    frame.name = "embedded-checkout";
    frame.style.cssText = "border:0;width:100%;min-height:640px;display:block;color-scheme:normal";
    return frame;
  };

  const place = (location) => {
    const found = typeof location === "string" ? document.querySelector(location) : location;
    if (!found) throw new Error(`Nothing on the page matches ${location}.`);
    return found;
  };

  async function createEmbeddedCheckoutPage(publishableKey, options = {}) {
    if (mounted) throw new Error("You cannot have multiple Embedded Checkout objects.");
    const secret = await (options.fetchClientSecret?.() ?? options.clientSecret);
    if (typeof secret !== "string" || !secret.includes("_secret_")) {
      throw new Error("fetchClientSecret must resolve to the client secret of a Checkout Session.");
    }
    const frame = frameFor(secret, publishableKey);

    const hear = (event) => {
      if (event.source !== frame.contentWindow || event.origin !== new URL(SIMULATOR).origin) return;
      const { type, height, return_url: returnUrl } = event.data ?? {};
      if (type === "height") frame.style.height = `${height}px`;
      if (type !== "complete") return;
      if (returnUrl) window.location.assign(returnUrl);
      else options.onComplete?.();
    };

    const page = {
      mount(location) {
        window.addEventListener("message", hear);
        place(location).replaceChildren(frame);
      },
      unmount() {
        window.removeEventListener("message", hear);
        frame.remove();
      },
      destroy() {
        page.unmount();
        mounted = null;
      },
    };
    mounted = page;
    return page;
  }

  window.Stripe = (publishableKey) => {
    if (!/^pk_test_/.test(publishableKey)) {
      throw new Error("The Stripe simulator takes a test publishable key only: pk_test_...");
    }
    return {
      createEmbeddedCheckoutPage: (options) => createEmbeddedCheckoutPage(publishableKey, options),
      initEmbeddedCheckout: (options) => createEmbeddedCheckoutPage(publishableKey, options),
      elements: () => {
        throw new Error("The Stripe simulator has no elements: it only does embedded checkout.");
      },
      createToken: refuse("createToken"),
      createPaymentMethod: refuse("createPaymentMethod"),
      confirmCardPayment: refuse("confirmCardPayment"),
      registerAppInfo() {},
      _registerWrapper() {},
    };
  };
  window.Stripe.version = "endive"; // as Stripe.js of this train says of itself; its loader looks
})();
