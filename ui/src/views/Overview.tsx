import { creditsNamed } from "../amounts";
import { Loading, Wrong } from "../parts/faces";
import { LinkButton } from "../parts/LinkButton";
import { Title } from "../parts/Title";
import { type Balance, useBalance } from "../service/queries";

/** What one has. */
export function Overview() {
  return (
    <>
      <Title>Overview</Title>
      <Standing />
    </>
  );
}

function Standing() {
  const balance = useBalance();
  if (balance.isPending) return <Loading what="your credits" />;
  if (!balance.data)
    return <Wrong what="Your credits" error={balance.error} retry={() => balance.refetch()} />;
  return <Figures balance={balance.data} />;
}

function Figures({ balance }: { balance: Balance }) {
  return (
    <>
      <dl className="figures">
        <Figure name="Balance">{creditsNamed(balance.balance)}</Figure>
        <Figure name="Reserved for what runs">{creditsNamed(balance.reserved)}</Figure>
        <Figure name="Available">{creditsNamed(balance.available)}</Figure>
      </dl>
      <div className="actions">
        <LinkButton to="buy" variant="primary">
          Buy credits
        </LinkButton>
      </div>
    </>
  );
}

function Figure({ name, children }: { name: string; children: string }) {
  return (
    <div className="figure">
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}
