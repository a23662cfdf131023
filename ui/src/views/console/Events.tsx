import { Button, FormControl, Label, Select } from "@primer/react";
import type { FormEvent } from "react";
import { goTo } from "../../address";
import { placeOfAccount, withQuery } from "../../console";
import { moment } from "../../durations";
import { Anchor } from "../../parts/Anchor";
import { Empty, Loading, Wrong } from "../../parts/faces";
import { LinkButton } from "../../parts/LinkButton";
import { Title } from "../../parts/Title";
import { type Letter, useLetters, type Verdict } from "../../service/console";
import { More } from "./parts";

/** Every event about a checkout that Stripe has sent, and what became of it. */
export function Events({ query }: { query: URLSearchParams }) {
  const verdict = verdictIn(query);
  return (
    <>
      <Title>Stripe events</Title>
      <p className="lead">
        What Stripe has told of checkouts, newest first. An event in quarantine is signed by Stripe
        and doesn't fit its checkout: it moved nothing, and somebody may have paid.
      </p>
      <Choice key={verdict} verdict={verdict} />
      <Found verdict={verdict} />
    </>
  );
}

const VERDICTS: Readonly<Record<Verdict, string>> = {
  applied: "applied",
  quarantined: "in quarantine",
};

function verdictIn(query: URLSearchParams): Verdict | undefined {
  const written = query.get("verdict") ?? "";
  return Object.hasOwn(VERDICTS, written) ? (written as Verdict) : undefined;
}

function Choice({ verdict }: { verdict: Verdict | undefined }) {
  const choose = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const written = String(new FormData(event.currentTarget).get("verdict") ?? "");
    goTo(withQuery("console/events", { verdict: written }));
  };
  return (
    <form className="choice" onSubmit={choose} aria-label="Filters">
      <FormControl>
        <FormControl.Label>What became of it</FormControl.Label>
        <Select name="verdict" defaultValue={verdict ?? ""}>
          <Select.Option value="">Anything</Select.Option>
          {Object.entries(VERDICTS).map(([one, name]) => (
            <Select.Option key={one} value={one}>
              {name}
            </Select.Option>
          ))}
        </Select>
      </FormControl>
      <div className="choice-buttons">
        <Button type="submit">Filter</Button>
      </div>
    </form>
  );
}

function Found({ verdict }: { verdict: Verdict | undefined }) {
  const letters = useLetters(verdict);
  if (letters.isPending) return <Loading what="the events" />;
  if (!letters.data)
    return <Wrong what="The events" error={letters.error} retry={() => letters.refetch()} />;
  if (letters.data.length === 0)
    return (
      <Empty>
        {verdict === "quarantined"
          ? "Nothing is in quarantine."
          : "No event about a checkout has come yet."}
      </Empty>
    );
  return (
    <>
      <ul className="running">
        {letters.data.map((one) => (
          <li key={one.event_id} className="run">
            <One letter={one} />
          </li>
        ))}
      </ul>
      <More of={letters} name="Show older" />
    </>
  );
}

/** One event: what it is about, what became of it, why, and what to do. */
export function One({ letter, alone = false }: { letter: Letter; alone?: boolean }) {
  const aside = letter.verdict === "quarantined";
  return (
    <>
      <div className="run-name">
        <h2>{letter.type}</h2>
        <Label variant={aside ? "danger" : "success"}>{VERDICTS[letter.verdict]}</Label>
      </div>
      {aside && (
        <dl className="why">
          <dt>Why</dt>
          <dd>{letter.why}</dd>
          <dt>What to do</dt>
          <dd>{letter.remedy}</dd>
        </dl>
      )}
      <p className="soft facts">
        <span>{moment(letter.at)}</span>
        <code>{letter.event_id}</code>
        {letter.account_uid && (
          <Anchor to={placeOfAccount(letter.account_uid)}>account {letter.account_uid}</Anchor>
        )}
        <Anchor to={withQuery("console/checkouts", { session: letter.session_id })}>
          checkout of <code>{letter.session_id}</code>
        </Anchor>
        {!alone && (
          <Anchor
            to={`console/events/${encodeURIComponent(letter.event_id)}`}
            aria-label={`${letter.event_id} as it came`}
          >
            as it came
          </Anchor>
        )}
      </p>
      {aside && letter.account_uid && (
        <div className="actions">
          <LinkButton
            to={placeOfAccount(letter.account_uid, {
              session: letter.session_id,
              event: letter.event_id,
            })}
            size="small"
            label={`Grant by hand for ${letter.event_id}`}
          >
            Grant by hand…
          </LinkButton>
        </div>
      )}
    </>
  );
}
