// A stand-in for Stripe.js, served by the Stripe simulator. It takes no real money.
//
// It gives a page what embedded checkout needs of Stripe.js: window.Stripe(key), whose
// createEmbeddedCheckoutPage() shows the simulator's payment form in a frame. What Stripe.js refuses
// or warns of is refused or warned of here too, so that it comes to light before the real thing.
(() => {
  "use strict";

  const SIMULATOR = "{{simulator}}";
  const TRAIN = "{{train}}";
  const OPTIONS = new Set([
    ...["clientSecret", "fetchClientSecret", "onComplete"],
    ...["onShippingDetailsChange", "onLineItemsChange", "onAnalyticsEvent"],
  ]);
  let taken = false; // one form at a time, as at Stripe: from when it is asked for until destroy()

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

  /** Stripe.js has a hidden frame that talks to its server first, so that no form is there at once. */
  const reach = () =>
    new Promise((done) => {
      const frame = document.createElement("iframe");
      frame.src = `${SIMULATOR}/_simulator/controller`;
      frame.title = "Stripe simulator";
      frame.hidden = true;
      frame.onload = () => {
        frame.remove();
        done();
      };
      document.body.append(frame);
    });

  const secretOf = async (options) => {
    const { clientSecret, fetchClientSecret } = options;
    if ((clientSecret === undefined) === (fetchClientSecret === undefined)) {
      throw new Error("You must provide one of fetchClientSecret and clientSecret.");
    }
    const secret = await (fetchClientSecret ? fetchClientSecret() : clientSecret);
    if (typeof secret !== "string" || !secret.includes("_secret_")) {
      throw new Error("fetchClientSecret must resolve to the client secret of a Checkout Session.");
    }
    return secret;
  };

  const create = (publishableKey, name) => async (options = {}) => {
    for (const option of Object.keys(options)) {
      if (!OPTIONS.has(option)) console.warn(`[Stripe simulator] ${name}() knows no option ${option}.`);
    }
    if (taken) throw new Error("You cannot have multiple Embedded Checkout objects.");
    taken = true;
    try {
      const secret = await secretOf(options);
      await reach();
      return formOf(frameFor(secret, publishableKey), options);
    } catch (problem) {
      taken = false;
      throw problem;
    }
  };

  function formOf(frame, options) {
    let destroyed = false;

    const hear = (event) => {
      if (event.source !== frame.contentWindow || event.origin !== new URL(SIMULATOR).origin) return;
      const { type, height, return_url: returnUrl } = event.data ?? {};
      if (type === "height") frame.style.height = `${height}px`;
      if (type !== "complete") return;
      if (returnUrl) window.location.assign(returnUrl);
      else options.onComplete?.();
    };

    const form = {
      mount(location) {
        if (destroyed) throw new Error("This Embedded Checkout was destroyed, and can't be mounted again.");
        if (frame.isConnected) throw new Error("This Embedded Checkout is mounted already.");
        place(location).replaceChildren(frame);
        window.addEventListener("message", hear);
      },
      unmount() {
        window.removeEventListener("message", hear);
        frame.remove();
      },
      destroy() {
        if (destroyed) throw new Error("This Embedded Checkout was destroyed already.");
        form.unmount();
        destroyed = true;
        taken = false;
      },
    };
    return form;
  }

  /** Up to clover it was called initEmbeddedCheckout; since dahlia that name throws. */
  const namesOf = (publishableKey) => {
    const [now, before] = ["createEmbeddedCheckoutPage", "initEmbeddedCheckout"];
    if (TRAIN === "v3" || TRAIN === "clover") return { [before]: create(publishableKey, before) };
    const renamed = () => {
      throw new Error(`${before} is called ${now} now.`);
    };
    return { [now]: create(publishableKey, now), [before]: renamed };
  };

  window.Stripe = (publishableKey) => {
    if (!/^pk_test_/.test(publishableKey)) {
      throw new Error("The Stripe simulator takes a test publishable key only: pk_test_...");
    }
    return {
      ...namesOf(publishableKey),
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
  window.Stripe.version = TRAIN === "v3" ? 3 : TRAIN; // Stripe's own loader looks at it
})();
