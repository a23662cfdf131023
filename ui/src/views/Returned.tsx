import { Spinner } from "@primer/react";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useEffect, useState } from "react";
import { creditsNamed, money } from "../amounts";
import { useNow } from "../now";
import { Empty, Loading, Notice, Wrong } from "../parts/faces";
import { LinkButton } from "../parts/LinkButton";
import { Title } from "../parts/Title";
import { forgetPending } from "../pending";
import { Refused } from "../service/client";
import {
  type Checkout,
  checkoutOptions,
  isSettled,
  isUnknown,
  useBalance,
} from "../service/queries";
import { useStandingError } from "../service/standing";

const EVERY_SECONDS = 1;
const LATE_SECONDS = 120; // after which it isn't said any more that credits come within seconds

/** Where a checkout stands, after Stripe has sent the buyer back, and whenever one asks. */
export default function Returned({ session }: { session: string }) {
  const checkout = useQuery({
    ...checkoutOptions(session, EVERY_SECONDS),
    enabled: session !== "",
  });
  return (
    <>
      <Title>Your purchase</Title>
      <Face session={session} checkout={checkout} />
    </>
  );
}

interface Asked {
  readonly data: Checkout | undefined;
  readonly error: Error | null;
  readonly isPending: boolean;
  readonly refetch: () => unknown;
}

function Face({ session, checkout }: { session: string; checkout: Asked }) {
  const error = useStandingError(checkout);
  if (!session || isUnknown(error)) return <NoPurchase />;
  if (!checkout.data) {
    if (!error) return <Loading what="your purchase" />;
    return <Wrong what="Your purchase" error={error} retry={() => checkout.refetch()} />;
  }
  const away = checkout.error instanceof Refused && checkout.error.passes;
  return (
    <>
      {away && !isSettled(checkout.data.state) && (
        <Notice kind="warning" title="The connection is lost.">
          What you see is the last that was known. This page goes on asking.
        </Notice>
      )}
      <div aria-live="polite">
        <Standing session={session} checkout={checkout.data} />
      </div>
    </>
  );
}

function NoPurchase() {
  return (
    <Empty action={<LinkButton to="buy">Buy credits</LinkButton>}>
      You have no purchase at this address.
    </Empty>
  );
}

/** What each state means to the buyer. Only the service says that credits have come. */
function Standing({ session, checkout }: { session: string; checkout: Checkout }) {
  const what = creditsNamed(checkout.credits);
  const cost = money(checkout.amount, checkout.currency);
  const pay = `buy?package=${encodeURIComponent(checkout.price_id)}`;
  switch (checkout.state) {
    case "open":
      return (
        <Notice
          kind="info"
          title="This purchase is not paid yet."
          action={
            <LinkButton to={pay} variant="primary">
              Go on to pay
            </LinkButton>
          }
        >
          {what} for {cost}. If you have just paid, wait a moment.
        </Notice>
      );
    case "processing":
      return (
        <Notice kind="info" title="Your payment is being processed." action={<Meanwhile />}>
          Your bank was asked for {cost}; depending on how you pay, that takes minutes or days. The{" "}
          {what} come when it has paid. You can close this page.
        </Notice>
      );
    case "paid":
      return <Paid session={session} checkout={checkout} what={what} />;
    case "credited":
      return <Credited session={session} what={what} cost={cost} />;
    case "failed":
      return (
        <Ended session={session} title="The payment failed." to={pay} way="Try again">
          Your bank did not pay, and no credits were added. You can try again, or pay another way.
        </Ended>
      );
    default:
      return (
        <Ended session={session} title="This checkout has expired." to={pay} way="Start again">
          It was open for too long. Nothing was paid.
        </Ended>
      );
  }
}

/** Stripe's word to the service mostly comes within seconds. If it doesn't, somebody has to look. */
function Paid({ session, checkout, what }: { session: string; checkout: Checkout; what: string }) {
  const now = useNow(true);
  const [since] = useState(now);
  const first = Math.min(since, Date.parse(checkout.expires_at)); // nobody pays later than that
  if (now - first > LATE_SECONDS * 1000)
    return (
      <Notice kind="warning" title={`Paid: ${what} are late.`} action={<Meanwhile />}>
        Stripe has your payment, and the word of it hasn't arrived here yet. Don't pay again. They
        are added when it comes; if that takes long, tell the platform's operator the number of this
        purchase: <code>{session}</code>
      </Notice>
    );
  return (
    <Notice kind="info" title={`Paid: ${what} are on their way.`} action={<Meanwhile />}>
      <Spinner size="small" srText={null} /> They are added as soon as Stripe confirms the payment,
      mostly within seconds. You can close this page.
    </Notice>
  );
}

/** Where one can go while others work: the purchase goes on without this page. */
function Meanwhile() {
  return <LinkButton to="">Go to the overview</LinkButton>;
}

function Credited({ session, what, cost }: { session: string; what: string; cost: string }) {
  const cache = useQueryClient();
  const { data } = useBalance();
  useEffect(() => {
    forgetPending(session);
    void cache.invalidateQueries({ queryKey: ["balance"] });
  }, [cache, session]);
  return (
    <Notice
      kind="success"
      title={`${what} were added.`}
      action={
        <>
          <LinkButton to="" variant="primary">
            Go to the overview
          </LinkButton>
          <LinkButton to="buy">Buy more</LinkButton>
        </>
      }
    >
      Your payment for this package ({cost}) has arrived.
      {data && <> You have {creditsNamed(data.available)} available now.</>}
    </Notice>
  );
}

interface EndedProps {
  readonly session: string;
  readonly title: string;
  readonly to: string;
  readonly way: string;
  readonly children: ReactNode;
}

function Ended({ session, title, to, way, children }: EndedProps) {
  useEffect(() => forgetPending(session), [session]);
  return (
    <Notice
      kind="warning"
      title={title}
      action={
        <LinkButton to={to} variant="primary">
          {way}
        </LinkButton>
      }
    >
      {children}
    </Notice>
  );
}
