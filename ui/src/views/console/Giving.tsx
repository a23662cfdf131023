import {
  Button,
  ConfirmationDialog,
  FormControl,
  Select,
  Textarea,
  TextInput,
} from "@primer/react";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { creditsNamed } from "../../amounts";
import { endOf, isAmount, nameOf, newKey } from "../../console";
import { moment } from "../../durations";
import { Notice } from "../../parts/faces";
import { type Account, CONSOLE, give, type Giving as Wanted } from "../../service/console";
import { Undone } from "./parts";

interface GivingProps {
  readonly account: Account;
  readonly query: URLSearchParams;
}

/** Grants credits, after saying exactly what that will do. Its key is made before: whoever sends
 * it twice grants once. */
export function Giving({ account, query }: GivingProps) {
  const cache = useQueryClient();
  const [round, setRound] = useState(0);
  const giving = useMutation({
    mutationFn: (wanted: Wanted) => give(account.uid, wanted),
    onSuccess: () => {
      setRound(round + 1); // the next grant has a form and a key of its own
      for (const name of [CONSOLE, "entries"]) void cache.invalidateQueries({ queryKey: [name] });
    },
  });
  return (
    <>
      {giving.isError && <Undone what="Nothing was granted." error={giving.error} />}
      {giving.data && (
        <Notice
          kind="success"
          title={`${creditsNamed(giving.data.entry.credits)} ${
            giving.data.replayed ? "had been granted before" : "were granted"
          } to ${nameOf(account)}.`}
        >
          {giving.data.replayed && "Nothing was granted twice."}
        </Notice>
      )}
      <GivingForm
        key={round}
        account={account}
        owed={round === 0 ? owedIn(query) : null}
        busy={giving.isPending}
        give={giving.mutate}
      />
    </>
  );
}

interface Owed {
  readonly session: string;
  readonly event: string;
}

/** What an event in quarantine left to be granted by hand: the link from there says so. */
function owedIn(query: URLSearchParams): Owed | null {
  const session = query.get("session");
  return session ? { session, event: query.get("event") ?? "" } : null;
}

interface FormProps {
  readonly account: Account;
  readonly owed: Owed | null;
  readonly busy: boolean;
  readonly give: (wanted: Wanted) => void;
}

function GivingForm({ account, owed, busy, give: send }: FormProps) {
  const [key] = useState(() => (owed ? `by-hand-${owed.session}` : newKey()));
  const [amount, setAmount] = useState("");
  const [kind, setKind] = useState<Wanted["kind"]>(owed ? "adjustment" : "promotion");
  const [reason, setReason] = useState(
    owed ? `paid with ${owed.session}, event ${owed.event} in quarantine` : "",
  );
  const [until, setUntil] = useState("");
  const [asking, setAsking] = useState(false);
  const expires = endOf(until);
  const wrong = amount.trim() !== "" && !isAmount(amount.trim());
  const ready = isAmount(amount.trim()) && reason.trim() !== "";
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (ready) setAsking(true);
  };
  return (
    <form className="act" onSubmit={submit} aria-label="Grant credits">
      <FormControl required>
        <FormControl.Label>Credits</FormControl.Label>
        <TextInput
          value={amount}
          onChange={(event) => setAmount(event.target.value)}
          inputMode="decimal"
          autoComplete="off"
          block
        />
        {wrong ? (
          <FormControl.Validation variant="error">
            Write a number above 0, such as 12.5, with six decimals at most.
          </FormControl.Validation>
        ) : (
          <FormControl.Caption>Such as 12.5.</FormControl.Caption>
        )}
      </FormControl>
      <FormControl>
        <FormControl.Label>What they are</FormControl.Label>
        <Select
          value={kind ?? "promotion"}
          block
          onChange={(event) =>
            setKind(event.target.value === "adjustment" ? "adjustment" : "promotion")
          }
        >
          <Select.Option value="promotion">A promotion</Select.Option>
          <Select.Option value="adjustment">An adjustment: a correction</Select.Option>
        </Select>
      </FormControl>
      <FormControl>
        <FormControl.Label>Until the end of</FormControl.Label>
        <TextInput
          type="date"
          value={until}
          onChange={(event) => setUntil(event.target.value)}
          block
        />
        <FormControl.Caption>Without a day they don't expire.</FormControl.Caption>
      </FormControl>
      <FormControl required className="wide">
        <FormControl.Label>Reason</FormControl.Label>
        <Textarea
          value={reason}
          onChange={(event) => setReason(event.target.value.replace(/[\r\n]+/g, " "))}
          maxLength={500}
          rows={2}
          block
          resize="vertical"
        />
        <FormControl.Caption>
          It stays in the books for good, with your name. The account's user sees it.
        </FormControl.Caption>
      </FormControl>
      <div className="choice-buttons">
        <Button type="submit" variant="primary" loading={busy} disabled={!ready}>
          Grant…
        </Button>
      </div>
      {asking && (
        <ConfirmationDialog
          title={`Grant ${creditsNamed(Number(amount))} to ${nameOf(account)}?`}
          confirmButtonContent={`Grant ${creditsNamed(Number(amount))}`}
          confirmButtonType="primary"
          onClose={(gesture) => {
            setAsking(false);
            if (gesture === "confirm")
              send({
                credits: amount.trim(),
                kind: kind ?? "promotion",
                reason: reason.trim(),
                key,
                ...(expires && { expires_at: expires }),
              });
          }}
        >
          <span className="words">
            The account {account.uid} gets {creditsNamed(Number(amount))} at once, as{" "}
            {kind === "adjustment" ? "an adjustment" : "a promotion"} that{" "}
            {expires ? `expires ${moment(expires)}` : "doesn't expire"}. Reason: “{reason.trim()}”.
          </span>
        </ConfirmationDialog>
      )}
    </form>
  );
}
