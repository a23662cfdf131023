import { Button, ConfirmationDialog, FormControl, Label, TextInput } from "@primer/react";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { moment } from "../durations";
import { Empty, Loading, Notice, Wrong } from "../parts/faces";
import { Title } from "../parts/Title";
import { type ApiKey, makeKey, revokeKey, useKeys } from "../service/queries";

/** The API keys with which one's own programs act as oneself. */
export default function Keys() {
  const cache = useQueryClient();
  const making = useMutation({
    mutationFn: makeKey,
    onSuccess: () => cache.invalidateQueries({ queryKey: ["keys"] }),
  });
  return (
    <>
      <Title>API keys</Title>
      <p className="lead">
        With a key your programs see and spend your credits. Whoever has it can do the same: keep it
        as you keep a password.
      </p>
      <NewKey busy={making.isPending} make={making.mutate} key={making.data?.api_key.id ?? ""} />
      {making.isError && <Wrong what="A new key" error={making.error} />}
      {making.data && <Secret name={making.data.api_key.name} token={making.data.token} />}
      <Standing />
    </>
  );
}

function NewKey({ busy, make }: { busy: boolean; make: (name: string) => void }) {
  const [name, setName] = useState("");
  const submit = (event: FormEvent) => {
    event.preventDefault();
    make(name.trim());
  };
  return (
    <form className="choice captioned" onSubmit={submit} aria-label="New key">
      <FormControl required>
        <FormControl.Label>Name</FormControl.Label>
        <TextInput
          value={name}
          onChange={(event) => setName(event.target.value)}
          maxLength={100}
          autoComplete="off"
        />
        <FormControl.Caption>Where you will use it, such as “my laptop”.</FormControl.Caption>
      </FormControl>
      <div className="choice-buttons">
        <Button type="submit" variant="primary" loading={busy} disabled={name.trim() === ""}>
          Make a key
        </Button>
      </div>
    </form>
  );
}

/** A new key's secret: shown now and never again. */
function Secret({ name, token }: { name: string; token: string }) {
  const copying = useMutation({ mutationFn: () => navigator.clipboard.writeText(token) });
  return (
    <Notice
      kind="success"
      title={`The key “${name}” is made. Copy it now: it is not shown again.`}
      action={
        <>
          <Button onClick={() => copying.mutate()}>Copy the key</Button>
          <span role="status" className="soft">
            {copying.isSuccess && "Copied."}
            {copying.isError && "It could not be copied: select it and copy it by hand."}
          </span>
        </>
      }
    >
      <code className="secret">{token}</code>
    </Notice>
  );
}

function Standing() {
  const keys = useKeys();
  if (keys.isPending) return <Loading what="your keys" />;
  if (!keys.data) return <Wrong what="Your keys" error={keys.error} retry={() => keys.refetch()} />;
  if (keys.data.length === 0) return <Empty>You have no keys.</Empty>;
  return (
    <ul className="running">
      {keys.data.map((key) => (
        <li key={key.id} className="run key">
          <div>
            <div className="run-name">
              <h2>{key.name}</h2>
              {key.revoked_at && <Label variant="secondary">revoked</Label>}
            </div>
            <p className="soft">
              made {moment(key.created_at)}
              {key.revoked_at && `, revoked ${moment(key.revoked_at)}`}
            </p>
          </div>
          {!key.revoked_at && <Revoke apiKey={key} />}
        </li>
      ))}
    </ul>
  );
}

function Revoke({ apiKey }: { apiKey: ApiKey }) {
  const [asking, setAsking] = useState(false);
  const cache = useQueryClient();
  const revoking = useMutation({
    mutationFn: () => revokeKey(apiKey.id),
    onSettled: () => cache.invalidateQueries({ queryKey: ["keys"] }),
  });
  return (
    <>
      {revoking.isError && <Wrong what="The end of this key" error={revoking.error} />}
      <Button
        variant="danger"
        loading={revoking.isPending}
        onClick={() => setAsking(true)}
        aria-label={`Revoke ${apiKey.name}`}
      >
        Revoke
      </Button>
      {asking && (
        <ConfirmationDialog
          title={`Revoke “${apiKey.name}”?`}
          confirmButtonContent="Revoke"
          confirmButtonType="danger"
          onClose={(gesture) => {
            setAsking(false);
            if (gesture === "confirm") revoking.mutate();
          }}
        >
          Programs that use it stop working at once, and it can't be undone.
        </ConfirmationDialog>
      )}
    </>
  );
}
