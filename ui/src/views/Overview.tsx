import type { ReactNode } from "react";
import { credits, creditsMoving } from "../amounts";
import { decimalsFor, secondsLeft, standing } from "../burning";
import { duration } from "../durations";
import { useNow } from "../now";
import { Charts } from "../parts/Charts";
import { Ended } from "../parts/Ended";
import { Empty, Loading, Notice, Wrong } from "../parts/faces";
import { LinkButton } from "../parts/LinkButton";
import { Running } from "../parts/Running";
import { Title } from "../parts/Title";
import { type Balance, useBalance } from "../service/queries";
import { useStandingError } from "../service/standing";

/** What one has, what burns now, and how long it lasts. */
export function Overview() {
  return (
    <>
      <Title>Overview</Title>
      <Account />
    </>
  );
}

function Account() {
  const balance = useBalance();
  const error = useStandingError(balance);
  if (!balance.data) {
    if (!error) return <Loading what="your credits" />;
    return <Wrong what="Your credits" error={error} retry={() => balance.refetch()} />;
  }
  return (
    <>
      {balance.isError && <Away />}
      <Now balance={balance.data} at={balance.dataUpdatedAt} away={balance.isError} />
    </>
  );
}

function Away() {
  return (
    <Notice kind="warning" title="The connection is lost.">
      These figures are the last that were known. They go on when the service answers again.
    </Notice>
  );
}

/** The account as it is now; it stands still while nobody knows. */
function Now({ balance, at, away }: { balance: Balance; at: number; away: boolean }) {
  const moving = balance.burning_rate > 0 && !away;
  const now = useNow(moving);
  const seconds = moving ? Math.max(0, (now - at) / 1000) : 0;
  return (
    <>
      <Figures balance={balance} seconds={seconds} />
      <h2 className="section">Running now</h2>
      {balance.reservations.length === 0 ? (
        <Empty>Nothing is running, and nothing is reserved.</Empty>
      ) : (
        <Running reservations={balance.reservations} seconds={seconds} />
      )}
      <Charts />
      <h2 className="section">Ended lately</h2>
      <Ended />
    </>
  );
}

interface FiguresProps {
  readonly balance: Balance;
  readonly seconds: number;
}

function Figures({ balance, seconds }: FiguresProps) {
  const burns = balance.burning_rate > 0;
  const places = decimalsFor(balance.burning_rate);
  const told = (amount: number) => (burns ? creditsMoving(amount, places) : credits(amount));
  const { left, reserved, available } = standing(balance, seconds);
  return (
    <>
      <dl className="figures">
        <Figure name="Balance" note="reserved and available together">
          {told(left)} <small>credits</small>
        </Figure>
        <Figure name="Available" note="for anything new">
          {told(available)} <small>credits</small>
        </Figure>
        <Figure name="Reserved" note="for what runs now">
          {told(reserved)} <small>credits</small>
        </Figure>
        <Figure name="Burn rate" note={burns ? "of all that runs" : "nothing burns"}>
          {credits(balance.burning_rate_per_hour)} <small>credits an hour</small>
        </Figure>
        <TimeLeft balance={balance} seconds={seconds} />
      </dl>
      {left === 0 && !burns ? (
        <Empty
          action={
            <LinkButton to="buy" variant="primary">
              Buy credits
            </LinkButton>
          }
        >
          You have no credits yet.
        </Empty>
      ) : (
        <div className="actions">
          <LinkButton to="buy" variant="primary">
            Buy credits
          </LinkButton>
        </div>
      )}
    </>
  );
}

const SOON_SECONDS = 600;

/** How long it goes on: until the first thing without a limit stops for want of credits. */
function TimeLeft({ balance, seconds }: FiguresProps) {
  if (balance.burning_rate <= 0) return null;
  const left = secondsLeft(balance, seconds);
  if (left === null)
    return (
      <Figure name="Time left" note="all that runs has a limit of its own">
        See below
      </Figure>
    );
  return (
    <Figure name="Time left" note="until credits run out" soon={left < SOON_SECONDS}>
      {duration(left)}
    </Figure>
  );
}

interface FigureProps {
  readonly name: string;
  readonly note: string;
  readonly soon?: boolean;
  readonly children: ReactNode;
}

function Figure({ name, note, soon, children }: FigureProps) {
  return (
    <div className="figure" data-soon={soon || undefined}>
      <dt>{name}</dt>
      <dd>{children}</dd>
      <dd className="note">{note}</dd>
    </div>
  );
}
