import { credits, money } from "../../amounts";
import { SOURCES } from "../../console";
import { Empty, Loading, Wrong } from "../../parts/faces";
import { Title } from "../../parts/Title";
import { type Totals as Told, useTotals } from "../../service/console";
import { Columns, Figure } from "./parts";

/** What was sold and given to everybody, and what became of it. */
export function Totals() {
  return (
    <>
      <Title>Totals</Title>
      <All />
    </>
  );
}

function All() {
  const totals = useTotals();
  if (totals.isPending) return <Loading what="the totals" />;
  if (!totals.data)
    return <Wrong what="The totals" error={totals.error} retry={() => totals.refetch()} />;
  if (totals.data.given.every((one) => one.grants === 0))
    return <Empty>Nothing has been sold or granted yet.</Empty>;
  return (
    <>
      <Gone totals={totals.data} />
      <h2 className="section">Sold</h2>
      <Sold totals={totals.data} />
      <h2 className="section">Where credits came from</h2>
      <Given totals={totals.data} />
    </>
  );
}

function Gone({ totals }: { totals: Told }) {
  const bought = totals.given.find((one) => one.kind === "purchase")?.remaining ?? 0;
  return (
    <dl className="figures">
      <Figure
        name="Outstanding"
        note={`all balances together, still owed: ${credits(bought)} bought and ${credits(totals.outstanding - bought)} given`}
      >
        {credits(totals.outstanding)} <small>credits</small>
      </Figure>
      <Figure name="Spent" note="by charges, and by what ran and has ended">
        {credits(totals.spent)} <small>credits</small>
      </Figure>
      <Figure name="Expired" note="granted until a day that has passed">
        {credits(totals.expired)} <small>credits</small>
      </Figure>
      <Figure name="Taken back" note="from grants, by operators">
        {credits(totals.reversed)} <small>credits</small>
      </Figure>
    </dl>
  );
}

function Sold({ totals }: { totals: Told }) {
  if (totals.sold.length === 0) return <Empty>Nothing has been sold yet.</Empty>;
  const both = new Set(totals.sold.map((one) => one.livemode)).size > 1;
  const test = totals.sold.some((one) => !one.livemode);
  return (
    <>
      {test && (
        <p className="soft lead">
          {both ? "Part of it was" : "All of it was"} sold in test mode: no real money moved.
        </p>
      )}
      <Columns
        caption="What was sold, by currency"
        names={["Currency", "#Purchases", "#Credits", "#Before tax", "#Paid, with tax"]}
      >
        {totals.sold.map((one) => (
          <tr key={`${one.currency} ${one.livemode}`}>
            <th scope="row">
              {one.currency.toUpperCase()}
              {both && (one.livemode ? " (live)" : " (test)")}
            </th>
            <td className="number">{one.checkouts.toLocaleString()}</td>
            <td className="number">{credits(one.credits)}</td>
            <td className="number">{money(one.amount, one.currency)}</td>
            <td className="number">{money(one.paid, one.currency)}</td>
          </tr>
        ))}
      </Columns>
    </>
  );
}

function Given({ totals }: { totals: Told }) {
  return (
    <Columns
      caption="Credits that came in, and what is left of them"
      names={["From", "#Grants", "#Credits", "#Still outstanding"]}
    >
      {totals.given.map((one) => (
        <tr key={one.kind}>
          <th scope="row">{SOURCES[one.kind] ?? one.kind}</th>
          <td className="number">{one.grants.toLocaleString()}</td>
          <td className="number">{credits(one.credits)}</td>
          <td className="number">{credits(one.remaining)}</td>
        </tr>
      ))}
    </Columns>
  );
}
