import { Button } from "@primer/react";
import { useMutation } from "@tanstack/react-query";
import { type Purchase, receiptOf } from "../service/queries";
import { Refused } from "../service/refused";

/**
 * Stripe's receipt, in a tab of its own that can't reach this one. A browser that lets no tab be
 * opened once the answer has come shows the link.
 */
export function Receipt({ of, name }: { of: Purchase; name: string }) {
  const asking = useMutation({
    mutationFn: () => receiptOf(of.id),
    onSuccess: (url) => window.open(url, "_blank", "noopener,noreferrer"),
  });
  if (asking.data)
    return (
      <a
        href={asking.data}
        target="_blank"
        rel="noopener noreferrer"
        aria-label={`Open the receipt of ${name}`}
      >
        Open the receipt
      </a>
    );
  return (
    <>
      <Button
        size="small"
        loading={asking.isPending}
        aria-label={`Receipt of ${name}`}
        onClick={() => asking.mutate()}
      >
        Receipt
      </Button>
      {asking.isError && (
        <p className="soft refusal" role="alert">
          {asking.error instanceof Refused ? asking.error.message : "The receipt can't be shown."}
        </p>
      )}
    </>
  );
}
