import { Button, FormControl, Label, type LabelProps, Select, TextInput } from "@primer/react";
import type { FormEvent } from "react";
import { goTo } from "../../address";
import { credits, money } from "../../amounts";
import { placeOfAccount, STATES, withQuery } from "../../console";
import { moment } from "../../durations";
import { Anchor } from "../../parts/Anchor";
import { Empty, Loading, Wrong } from "../../parts/faces";
import { LinkButton } from "../../parts/LinkButton";
import { Title } from "../../parts/Title";
import { type Offer, type OffersQuery, useOffers } from "../../service/console";
import { Columns, More } from "./parts";

interface Chosen {
  readonly state: string;
  readonly account: string;
  readonly session: string;
}

/** Every checkout there was, and what became of it. */
export function Checkouts({ query }: { query: URLSearchParams }) {
  const chosen = chosenIn(query);
  return (
    <>
      <Title>Checkouts</Title>
      <Choice key={query.toString()} chosen={chosen} />
      <Found chosen={chosen} />
    </>
  );
}

function chosenIn(query: URLSearchParams): Chosen {
  const part = (name: string) => query.get(name)?.trim() ?? "";
  return { state: part("state"), account: part("account"), session: part("session") };
}

/** What is asked of the service. Something that nothing can be is asked all the same: it says so. */
function queryOf({ state, account, session }: Chosen): OffersQuery {
  return {
    ...(Object.hasOwn(STATES, state) && { state: state as Offer["state"] }),
    ...(account && { account_uid: account }),
    ...(session && { session_id: session }),
  };
}

function Choice({ chosen }: { chosen: Chosen }) {
  const choose = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const written = (name: string) => String(form.get(name) ?? "").trim();
    goTo(
      withQuery("console/checkouts", {
        state: written("state"),
        account: written("account"),
        session: written("session"),
      }),
    );
  };
  return (
    <form className="choice" onSubmit={choose} aria-label="Filters">
      <FormControl>
        <FormControl.Label>State</FormControl.Label>
        <Select name="state" defaultValue={chosen.state}>
          <Select.Option value="">Any</Select.Option>
          {Object.entries(STATES).map(([state, name]) => (
            <Select.Option key={state} value={state}>
              {name}
            </Select.Option>
          ))}
        </Select>
      </FormControl>
      <FormControl>
        <FormControl.Label>Account's uid</FormControl.Label>
        <TextInput name="account" defaultValue={chosen.account} maxLength={128} />
      </FormControl>
      <FormControl>
        <FormControl.Label>Session at Stripe</FormControl.Label>
        <TextInput name="session" defaultValue={chosen.session} maxLength={255} />
      </FormControl>
      <div className="choice-buttons">
        <Button type="submit">Filter</Button>
        <LinkButton to="console/checkouts" variant="invisible">
          Show all
        </LinkButton>
      </div>
    </form>
  );
}

function Found({ chosen }: { chosen: Chosen }) {
  const wanted = queryOf(chosen);
  const offers = useOffers(wanted);
  if (offers.isPending) return <Loading what="the checkouts" />;
  if (!offers.data)
    return <Wrong what="The checkouts" error={offers.error} retry={() => offers.refetch()} />;
  if (offers.data.length === 0)
    return (
      <Empty>
        {Object.keys(wanted).length > 0
          ? "No checkout matches these filters."
          : "Nobody has begun to buy yet."}
      </Empty>
    );
  return (
    <>
      <Columns
        caption="Checkouts, newest first"
        names={["Opened", "State", "Account", "#Credits", "#Price", "#Paid", "Session at Stripe"]}
      >
        {offers.data.map((one) => (
          <One key={one.id} offer={one} />
        ))}
      </Columns>
      <More of={offers} name="Show older" />
    </>
  );
}

const LOOKS: Readonly<Record<string, NonNullable<LabelProps["variant"]>>> = {
  open: "accent",
  processing: "attention",
  credited: "success",
  failed: "danger",
  expired: "secondary",
};

function One({ offer }: { offer: Offer }) {
  return (
    <tr>
      <td>{moment(offer.created_at)}</td>
      <td>
        <Label variant={LOOKS[offer.state] ?? "default"}>{STATES[offer.state]}</Label>
        {!offer.livemode && <span className="soft"> test</span>}
      </td>
      <td>
        <Anchor to={placeOfAccount(offer.account_uid)}>{offer.account_uid}</Anchor>
      </td>
      <td className="number">{credits(offer.credits)}</td>
      <td className="number">{money(offer.price.amount, offer.price.currency)}</td>
      <td className="number">{offer.paid && money(offer.paid.amount, offer.paid.currency)}</td>
      <td>
        <code>{offer.session_id ?? "none yet"}</code>
      </td>
    </tr>
  );
}
