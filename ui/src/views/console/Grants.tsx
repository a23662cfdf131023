import { Button, ConfirmationDialog, FormControl, Label, TextInput } from "@primer/react";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { credits, creditsNamed, money } from "../../amounts";
import { isAmount, newKey } from "../../console";
import { moment } from "../../durations";
import { kindNamed } from "../../history";
import { Empty, Loading, Notice, Wrong } from "../../parts/faces";
import { CONSOLE, type Grant, type Taking, takeBack, useGrants } from "../../service/console";
import { Undone } from "./parts";

/** What is left of each grant, in the order in which it will be spent; and taking it back. */
export function Grants({ uid }: { uid: string }) {
  const grants = useGrants(uid);
  const cache = useQueryClient();
  const taking = useMutation({
    mutationFn: ({ grant, wanted }: { grant: Grant; wanted: Taking }) =>
      takeBack(uid, grant.id, wanted),
    onSuccess: () => {
      for (const name of [CONSOLE, "entries"]) void cache.invalidateQueries({ queryKey: [name] });
    },
  });
  if (grants.isPending) return <Loading what="the grants" />;
  if (!grants.data)
    return <Wrong what="The grants" error={grants.error} retry={() => grants.refetch()} />;
  return (
    <>
      {taking.isError && <Undone what="Nothing was taken back." error={taking.error} />}
      {taking.data && (
        <Notice
          kind="success"
          title={`${creditsNamed(-taking.data.entry.credits)} ${
            taking.data.replayed ? "had been taken back before." : "were taken back."
          }`}
        >
          The balance was {creditsNamed(taking.data.entry.balance)} then.
        </Notice>
      )}
      {grants.data.length === 0 ? (
        <Empty>Of no grant is anything left.</Empty>
      ) : (
        <ul className="running">
          {grants.data.map((grant) => (
            <One
              key={grant.id}
              uid={uid}
              grant={grant}
              busy={taking.isPending}
              take={(wanted) => taking.mutate({ grant, wanted })}
            />
          ))}
        </ul>
      )}
    </>
  );
}

interface OneProps {
  readonly uid: string;
  readonly grant: Grant;
  readonly busy: boolean;
  readonly take: (wanted: Taking) => void;
}

function One({ uid, grant, busy, take }: OneProps) {
  const [open, setOpen] = useState(false);
  const left = creditsNamed(grant.remaining);
  return (
    <li className="run">
      <div className="key">
        <div>
          <div className="run-name">
            <h3>{left} left</h3>
            <Label variant={grant.kind === "purchase" ? "success" : "secondary"}>
              {kindNamed(grant.kind)}
            </Label>
          </div>
          <p className="soft">
            of {credits(grant.credits)}
            {grant.paid && `, for ${money(grant.paid.amount, grant.paid.currency)} before tax`} ·{" "}
            {moment(grant.at)} ·{" "}
            {grant.expires_at ? `expires ${moment(grant.expires_at)}` : "doesn't expire"}
          </p>
        </div>
        <Button
          onClick={() => setOpen(!open)}
          aria-expanded={open}
          aria-label={`Take back from ${left}, ${kindNamed(grant.kind)} ${moment(grant.at)}`}
        >
          Take back…
        </Button>
      </div>
      {open && (
        <TakingForm
          uid={uid}
          grant={grant}
          busy={busy}
          take={(wanted) => {
            setOpen(false);
            take(wanted);
          }}
        />
      )}
    </li>
  );
}

function TakingForm({ uid, grant, busy, take }: OneProps) {
  const [key] = useState(newKey);
  const [amount, setAmount] = useState("");
  const [reason, setReason] = useState("");
  const [asking, setAsking] = useState(false);
  const written = amount.trim();
  const wrong = written !== "" && !isAmount(written);
  const ready = !wrong && reason.trim() !== "";
  const what = written === "" ? "all that is left and not reserved" : creditsNamed(Number(written));
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (ready) setAsking(true);
  };
  return (
    <form className="act" onSubmit={submit} aria-label="Take back">
      <FormControl>
        <FormControl.Label>Credits to take back</FormControl.Label>
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
          <FormControl.Caption>Empty is all that is left and not reserved.</FormControl.Caption>
        )}
      </FormControl>
      <FormControl required className="wide">
        <FormControl.Label>Reason for taking back</FormControl.Label>
        <TextInput
          value={reason}
          onChange={(event) => setReason(event.target.value)}
          maxLength={500}
          block
        />
        <FormControl.Caption>It stays in the books for good, with your name.</FormControl.Caption>
      </FormControl>
      <div className="choice-buttons">
        <Button type="submit" variant="danger" loading={busy} disabled={!ready}>
          Go on
        </Button>
      </div>
      {asking && (
        <ConfirmationDialog
          title={`Take back ${what}?`}
          confirmButtonContent="Take back"
          confirmButtonType="danger"
          onClose={(gesture) => {
            setAsking(false);
            if (gesture === "confirm")
              take({ key, reason: reason.trim(), ...(written !== "" && { credits: written }) });
          }}
        >
          <span className="words">
            The account {uid} loses {what} of the {creditsNamed(grant.remaining)} left of this
            grant, at once. Reason: “{reason.trim()}”. What has been spent stays spent.
          </span>
        </ConfirmationDialog>
      )}
    </form>
  );
}
