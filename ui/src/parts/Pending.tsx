import { useQuery } from "@tanstack/react-query";
import { useEffect } from "react";
import { creditsNamed } from "../amounts";
import { forgetPending, usePending } from "../pending";
import { checkoutOptions, isUnknown } from "../service/queries";
import { Notice } from "./faces";
import { LinkButton } from "./LinkButton";

const EVERY_SECONDS = 30; // the stream tells of an arrival; this is the second look

/** The way back to a payment whose end this browser hasn't seen: the tab was closed, perhaps. */
export function Pending() {
  const session = usePending();
  const { data, error } = useQuery({
    ...checkoutOptions(session, EVERY_SECONDS),
    enabled: session !== "",
  });
  const over = isUnknown(error) || data?.state === "expired";
  useEffect(() => {
    if (over) forgetPending(session);
  }, [over, session]);
  if (!session || !data || over || data.state === "open") return null;
  return (
    <Notice
      kind={data.state === "failed" ? "warning" : "info"}
      title={SENTENCES[data.state]?.(creditsNamed(data.credits)) ?? "A purchase is under way."}
      action={<LinkButton to={`buy/return?session_id=${session}`}>See the purchase</LinkButton>}
    />
  );
}

const SENTENCES: Record<string, (what: string) => string> = {
  processing: (what) => `The payment for ${what} is being processed.`,
  paid: (what) => `Paid: ${what} are on their way.`,
  credited: (what) => `Your purchase of ${what} has arrived.`,
  failed: (what) => `The payment for ${what} failed.`,
};
