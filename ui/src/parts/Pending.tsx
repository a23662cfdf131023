import { useQuery } from "@tanstack/react-query";
import { useEffect } from "react";
import { creditsNamed } from "../amounts";
import { forgetPending, usePending } from "../pending";
import { checkoutOptions, isUnknown } from "../service/queries";
import { Notice } from "./faces";
import { LinkButton } from "./LinkButton";

const EVERY_SECONDS = 30; // the stream tells of an arrival; this is the second look

/** The ways back to payments whose ends this browser hasn't seen: a tab was closed, perhaps. */
export function Pending() {
  return usePending().map((session) => <One key={session} session={session} />);
}

function One({ session }: { session: string }) {
  const { data, error } = useQuery(checkoutOptions(session, EVERY_SECONDS));
  const over = isUnknown(error) || data?.state === "expired";
  useEffect(() => {
    if (over) forgetPending(session);
  }, [over, session]);
  if (!data || over || data.state === "open") return null;
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
