import { Button, FormControl, Select, TextInput } from "@primer/react";
import { type FormEvent, useId } from "react";
import { goTo } from "../address";
import { credits } from "../amounts";
import { moment } from "../durations";
import { Anchor } from "../parts/Anchor";
import { Empty, Loading, Wrong } from "../parts/faces";
import { HistoryParts } from "../parts/HistoryParts";
import { LinkButton } from "../parts/LinkButton";
import { Receipt } from "../parts/Receipt";
import { SaveCsv } from "../parts/SaveCsv";
import { Title } from "../parts/Title";
import {
  type Chosen,
  chosenIn,
  PURCHASES,
  packageNamed,
  paid,
  placeOfPurchases,
  queryOf,
  STATES,
  stateNamed,
} from "../purchases";
import {
  isSettled,
  type Purchase,
  purchasesAsCsv,
  usePrices,
  usePurchases,
} from "../service/queries";

/** What was bought, or begun to be. */
export default function Purchases({ query }: { query: URLSearchParams }) {
  const chosen = chosenIn(query);
  return (
    <>
      <Title>Purchases</Title>
      <HistoryParts at={PURCHASES} />
      <Choice key={placeOfPurchases(chosen)} chosen={chosen} />
      <Bought chosen={chosen} />
    </>
  );
}

/** The filters. They go into the address, and from there to the service. */
function Choice({ chosen }: { chosen: Chosen }) {
  const choose = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const written = new URLSearchParams(
      [...form].map(([name, value]): [string, string] => [name, String(value)]),
    );
    goTo(placeOfPurchases(chosenIn(written)));
  };
  return (
    <form className="choice" onSubmit={choose} aria-label="Filters">
      <FormControl>
        <FormControl.Label>State</FormControl.Label>
        <Select name="state" defaultValue={chosen.state}>
          <Select.Option value="">Every state</Select.Option>
          {Object.entries(STATES).map(([state, name]) => (
            <Select.Option key={state} value={state}>
              {name}
            </Select.Option>
          ))}
        </Select>
      </FormControl>
      <FormControl>
        <FormControl.Label>From day</FormControl.Label>
        <TextInput name="since" type="date" defaultValue={chosen.since} />
      </FormControl>
      <FormControl>
        <FormControl.Label>To day</FormControl.Label>
        <TextInput name="until" type="date" defaultValue={chosen.until} />
      </FormControl>
      <div className="choice-buttons">
        <Button type="submit">Filter</Button>
        <LinkButton to={PURCHASES} variant="invisible">
          Show everything
        </LinkButton>
      </div>
    </form>
  );
}

function Bought({ chosen }: { chosen: Chosen }) {
  const wanted = queryOf(chosen);
  const purchases = usePurchases(wanted);
  if (purchases.isPending) return <Loading what="your purchases" />;
  if (!purchases.data)
    return (
      <Wrong what="Your purchases" error={purchases.error} retry={() => purchases.refetch()} />
    );
  if (purchases.data.length === 0)
    return Object.keys(wanted).length > 0 ? (
      <Empty>No purchase matches these filters.</Empty>
    ) : (
      <NoPurchases />
    );
  return (
    <>
      <SaveCsv file={() => purchasesAsCsv(wanted)} />
      <Table purchases={purchases.data} />
      {purchases.isFetchNextPageError && <Wrong what="What is older" error={purchases.error} />}
      {purchases.hasNextPage && (
        <Button loading={purchases.isFetchingNextPage} onClick={() => purchases.fetchNextPage()}>
          Show older
        </Button>
      )}
    </>
  );
}

function NoPurchases() {
  return (
    <Empty
      action={
        <LinkButton to="buy" variant="primary">
          Buy credits
        </LinkButton>
      }
    >
      You have not bought anything yet.
    </Empty>
  );
}

function Table({ purchases }: { purchases: readonly Purchase[] }) {
  const title = useId();
  const prices = usePrices().data ?? []; // for their names alone: without them sizes are told
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a part that scrolls sideways takes the keyboard
    <section className="sideways" aria-labelledby={title} tabIndex={0}>
      <table className="entries">
        <caption id={title} className="hidden">
          Your purchases, newest first
        </caption>
        <thead>
          <tr>
            <th scope="col">When</th>
            <th scope="col">Package</th>
            <th scope="col" className="number">
              Credits
            </th>
            <th scope="col" className="number">
              Money paid
            </th>
            <th scope="col">State</th>
            <th scope="col">
              <span className="hidden">What can be done</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {purchases.map((one) => (
            <tr key={one.id}>
              <td>{moment(one.created_at)}</td>
              <td>{packageNamed(one, prices)}</td>
              <td className="number">{credits(one.credits)}</td>
              <td className="number">{paid(one)}</td>
              <td>{stateNamed(one)}</td>
              <td>
                <Way one={one} name={`${packageNamed(one, prices)}, ${moment(one.created_at)}`} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

/** The receipt of what was paid; of what may still be, the view that asks Stripe. */
function Way({ one, name }: { one: Purchase; name: string }) {
  if (one.state === "credited") return <Receipt of={one} name={name} />;
  if (isSettled(one.state) || one.session_id === null) return null;
  return (
    <Anchor
      to={`buy/return?session_id=${one.session_id}`}
      aria-label={`See where it stands: ${name}`}
    >
      See where it stands
    </Anchor>
  );
}
