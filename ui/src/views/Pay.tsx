import { Button } from "@primer/react";
import { EmbeddedCheckout, EmbeddedCheckoutProvider } from "@stripe/react-stripe-js";
import type { Stripe } from "@stripe/stripe-js";
import { useQuery } from "@tanstack/react-query";
import { useEffect, useMemo, useState } from "react";
import { addressOf, goTo } from "../address";
import { creditsNamed, money } from "../amounts";
import { pays, useLeaving } from "../identity";
import { Anchor } from "../parts/Anchor";
import { Loading, Notice, Wrong } from "../parts/faces";
import { LinkButton } from "../parts/LinkButton";
import { Title } from "../parts/Title";
import { notePending } from "../pending";
import { answered, Refused, service } from "../service/client";
import { checkoutOptions, type Price, usePrices } from "../service/queries";
import { onFormFailed, stripe } from "../stripe";

const EVERY_SECONDS = 15;
const RETURN = "buy/return?session_id={CHECKOUT_SESSION_ID}";

/** Paying for a package, in Stripe's own form. */
export default function Pay({ priceId }: { priceId: string }) {
  const prices = usePrices();
  const price = prices.data?.find((one) => one.id === priceId);
  return (
    <>
      <Title>Pay</Title>
      <p className="lead">
        <Anchor to="buy">Choose another package</Anchor>
      </p>
      {prices.data && !price ? <Gone /> : <Payment priceId={priceId} price={price} />}
    </>
  );
}

function Gone() {
  return (
    <Notice
      kind="warning"
      title="This package is not on sale any more."
      action={<LinkButton to="buy">See the packages</LinkButton>}
    />
  );
}

/** Stripe's form for the checkout that the service has opened. */
function Payment({ priceId, price }: { priceId: string; price: Price | undefined }) {
  const opened = useQuery({
    queryKey: ["opened", priceId],
    queryFn: () => open(priceId),
    staleTime: 0,
    gcTime: 0, // a checkout is asked for afresh each time; the service knows if it is the same
    refetchOnWindowFocus: false,
    refetchOnReconnect: false,
  });
  const loaded = useQuery({
    queryKey: ["stripe.js"],
    queryFn: stripe,
    staleTime: Infinity,
    retry: 1,
  });
  const [tries, setTries] = useState(0);
  const again = () => {
    setTries(tries + 1);
    void opened.refetch();
  };
  if (opened.isError) return <Wrong what="The checkout" error={opened.error} retry={again} />;
  if (loaded.isError) return <NoForm retry={() => void loaded.refetch()} />;
  if (opened.isPending || loaded.isPending) return <Loading what="Stripe's payment form" />;
  return (
    <Form
      key={`${opened.data.client_secret} ${tries}`}
      secret={opened.data.client_secret}
      session={opened.data.session_id}
      with={loaded.data}
      price={price}
      again={again}
    />
  );
}

async function open(price_id: string) {
  const return_url =
    window.location.origin + addressOf(RETURN).replace(/%7B/g, "{").replace(/%7D/g, "}");
  const body = { price_id, return_url };
  const opened = await answered(service.POST("/api/iam/stripe/v1/checkout/session", { body }));
  notePending(opened.session_id);
  return opened;
}

function NoForm({ retry }: { retry: () => void }) {
  return (
    <Notice
      kind="critical"
      title="Stripe's payment form could not be loaded."
      action={<Button onClick={retry}>Try again</Button>}
    >
      Nothing was paid. Look at your connection, and whether something in your browser blocks
      js.stripe.com.
    </Notice>
  );
}

interface FormProps {
  readonly secret: string;
  readonly session: string;
  readonly with: Stripe;
  readonly price: Price | undefined;
  readonly again: () => void;
}

/** The form itself. The checkout is watched meanwhile: it may expire, or be paid in another tab. */
function Form({ secret, session, with: loaded, price, again }: FormProps) {
  const { data, error } = useQuery(checkoutOptions(session, EVERY_SECONDS));
  const state = data?.state ?? "open";
  useEffect(() => {
    if (state !== "open" && state !== "expired")
      goTo(`buy/return?session_id=${session}`, "replace");
  }, [state, session]);
  const options = useMemo(() => ({ fetchClientSecret: () => Promise.resolve(secret) }), [secret]);
  const [isBroken, setBroken] = useState(false);
  useEffect(() => onFormFailed(() => setBroken(true)), []);
  const isThere = state !== "expired" && !isBroken;
  useEffect(() => (isThere ? pays() : undefined), [isThere]);
  const isLeaving = useLeaving();
  return (
    <>
      {isThere && price && (
        <p className="lead">
          {creditsNamed(price.credits)} for {money(price.amount, price.currency)}
          {price.tax_behavior === "exclusive" && ", plus tax where it applies"}
        </p>
      )}
      <div aria-live="polite">
        {state === "expired" && <Expired again={again} />}
        {isThere && error instanceof Refused && error.passes && <Away />}
        {isThere && isLeaving && <SignedOut />}
      </div>
      {state !== "expired" && isBroken && <NoForm retry={again} />}
      {isThere && (
        <section className="checkout" aria-label="Payment">
          <EmbeddedCheckoutProvider stripe={loaded} options={options}>
            <EmbeddedCheckout />
          </EmbeddedCheckoutProvider>
        </section>
      )}
    </>
  );
}

function Away() {
  return (
    <Notice kind="warning" title="The connection is lost.">
      Wait until it is back before you pay. If you have just paid, don't pay again: this page will
      say where the payment stands.
    </Notice>
  );
}

function SignedOut() {
  return (
    <Notice kind="warning" title="You were signed out.">
      You can go on to pay here, or have paid already: nothing is lost. Then open this page from the
      platform again; it says where the payment stands.
    </Notice>
  );
}

function Expired({ again }: { again: () => void }) {
  return (
    <Notice
      kind="warning"
      title="This checkout has expired."
      action={
        <Button variant="primary" onClick={again}>
          Start again
        </Button>
      }
    >
      It was open for too long. Nothing was paid.
    </Notice>
  );
}
