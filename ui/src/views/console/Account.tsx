import { credits } from "../../amounts";
import { nameOf, placeOfAccount, withQuery } from "../../console";
import { moment } from "../../durations";
import { chosenIn } from "../../history";
import { useNow } from "../../now";
import { Anchor } from "../../parts/Anchor";
import { Empty, Loading, Notice, Wrong } from "../../parts/faces";
import { Ledger } from "../../parts/Ledger";
import { LinkButton } from "../../parts/LinkButton";
import { Running } from "../../parts/Running";
import { Title } from "../../parts/Title";
import { type Account as Told, useAccount, useBalanceOf } from "../../service/console";
import { Refused } from "../../service/refused";
import { Giving } from "./Giving";
import { Grants } from "./Grants";
import { Figure } from "./parts";

interface AccountProps {
  readonly uid: string;
  readonly query: URLSearchParams;
}

/** One account: what it has and where that came from, what runs, and how all of it came about. */
export function Account({ uid, query }: AccountProps) {
  const account = useAccount(uid);
  return (
    <>
      <p className="lead">
        <Anchor to="console/accounts">All accounts</Anchor>
      </p>
      {account.data ? <Title>{nameOf(account.data)}</Title> : <Title>Account</Title>}
      {account.isPending && <Loading what="the account" />}
      {account.isError && !account.data && (
        <NotFound uid={uid} error={account.error} retry={() => account.refetch()} />
      )}
      {account.data && <Whole account={account.data} query={query} />}
    </>
  );
}

interface NotFoundProps {
  readonly uid: string;
  readonly error: unknown;
  readonly retry: () => void;
}

function NotFound({ uid, error, retry }: NotFoundProps) {
  if (!(error instanceof Refused && error.status === 404))
    return <Wrong what="The account" error={error} retry={retry} />;
  return (
    <Notice
      kind="warning"
      title={`There is no account “${uid}”.`}
      action={<LinkButton to="console/accounts">Search for another</LinkButton>}
    >
      An account is made when its user first calls.
    </Notice>
  );
}

/** Who comes from an event in quarantine comes to grant: that stands first then. */
function Whole({ account, query }: { account: Told; query: URLSearchParams }) {
  const owed = query.has("session");
  const giving = (
    <>
      <h2 className="section">Grant credits</h2>
      <Giving account={account} query={query} />
    </>
  );
  return (
    <>
      <Who account={account} />
      {owed && giving}
      <Now uid={account.uid} />
      <h2 className="section">Grants</h2>
      <Grants uid={account.uid} />
      {!owed && giving}
      <h2 className="section">History</h2>
      <Ledger
        chosen={chosenIn(query)}
        home={placeOfAccount(account.uid)}
        accountUid={account.uid}
        nothing={<Empty>Nothing has been bought, granted or spent yet.</Empty>}
      />
    </>
  );
}

function Who({ account }: { account: Told }) {
  return (
    <p className="lead facts">
      <span>
        uid <code>{account.uid}</code>
      </span>
      {account.handle && <span>handle {account.handle}</span>}
      {account.email && <span>{account.email}</span>}
      <span className="soft">since {moment(account.created_at)}</span>
      <Anchor to={withQuery("console/checkouts", { account: account.uid })}>Checkouts</Anchor>
    </p>
  );
}

function Now({ uid }: { uid: string }) {
  const balance = useBalanceOf(uid);
  const burns = (balance.data?.burning_rate ?? 0) > 0;
  const now = useNow(burns);
  if (balance.isPending) return <Loading what="the balance" />;
  if (!balance.data)
    return <Wrong what="The balance" error={balance.error} retry={() => balance.refetch()} />;
  const told = balance.data;
  const seconds = burns ? Math.max(0, (now - balance.dataUpdatedAt) / 1000) : 0;
  return (
    <>
      <dl className="figures">
        <Figure name="Balance" note="reserved and available together">
          {credits(told.balance)} <small>credits</small>
        </Figure>
        <Figure name="Available" note="for anything new">
          {credits(told.available)} <small>credits</small>
        </Figure>
        <Figure name="Reserved" note={`of which ${credits(told.accrued)} are used by now`}>
          {credits(told.reserved)} <small>credits</small>
        </Figure>
        <Figure name="Burn rate" note={burns ? "of all that runs" : "nothing burns"}>
          {credits(told.burning_rate_per_hour)} <small>credits an hour</small>
        </Figure>
      </dl>
      <h2 className="section">Running now</h2>
      {told.reservations.length === 0 ? (
        <Empty>Nothing is running, and nothing is reserved.</Empty>
      ) : (
        <Running reservations={told.reservations} seconds={seconds} />
      )}
    </>
  );
}
