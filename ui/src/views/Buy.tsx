import { Label } from "@primer/react";
import { bestValues, creditsNamed, money, moneyPerCredit } from "../amounts";
import { Empty, Loading, Wrong } from "../parts/faces";
import { LinkButton } from "../parts/LinkButton";
import { Title } from "../parts/Title";
import { type Price, usePrices } from "../service/queries";

/** The packages, to pick one. */
export function Buy() {
  return (
    <>
      <Title>Buy credits</Title>
      <Packages />
    </>
  );
}

function Packages() {
  const prices = usePrices();
  if (prices.isPending) return <Loading what="the packages" />;
  if (prices.isError)
    return <Wrong what="The packages" error={prices.error} retry={() => prices.refetch()} />;
  if (prices.data.length === 0) return <Empty>Nothing is on sale at the moment.</Empty>;
  const best = bestValues(prices.data);
  return (
    <>
      <p className="lead">You pay once, by card or another way that Stripe offers you.</p>
      <ul className="packages">
        {prices.data.map((price) => (
          <Package key={price.id} price={price} best={best.has(price.id)} />
        ))}
      </ul>
    </>
  );
}

function Package({ price, best }: { price: Price; best: boolean }) {
  const what = creditsNamed(price.credits);
  const cost = money(price.amount, price.currency);
  const described = price.description !== what;
  return (
    <li className="package" data-best={best || undefined}>
      <div className="package-name">
        <h2>{what}</h2>
        {best && <Label variant="success">Best value</Label>}
      </div>
      {described && <p className="soft">{price.description}</p>}
      <p className="package-price">
        {cost} <span className="soft">{price.currency.toUpperCase()}</span>
      </p>
      <p className="soft">
        {moneyPerCredit(price.amount, price.currency, price.credits)} for each credit
        {price.tax_behavior === "exclusive" && ", plus tax where it applies"}
      </p>
      <LinkButton
        to={`buy?package=${encodeURIComponent(price.id)}`}
        variant={best ? "primary" : "default"}
        label={`Buy ${what} for ${cost}`}
      >
        Buy
      </LinkButton>
    </li>
  );
}
