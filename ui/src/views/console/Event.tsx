import { Anchor } from "../../parts/Anchor";
import { Empty, Loading, Wrong } from "../../parts/faces";
import { Title } from "../../parts/Title";
import { useLetter } from "../../service/console";
import { Refused } from "../../service/refused";
import { One } from "./Events";

/** One event, as Stripe sent it. */
export function Event({ id }: { id: string }) {
  return (
    <>
      <p className="lead">
        <Anchor to="console/events">All events</Anchor>
      </p>
      <Title>Stripe event</Title>
      <Shown id={id} />
    </>
  );
}

function Shown({ id }: { id: string }) {
  const letter = useLetter(id);
  if (letter.isPending) return <Loading what="the event" />;
  if (letter.data)
    return (
      <>
        <div className="run">
          <One letter={letter.data.event} alone />
        </div>
        <h2 className="section">As it came</h2>
        {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a part that scrolls takes the keyboard */}
        <section className="payload" tabIndex={0} aria-label="The event as it came">
          <pre>{indented(letter.data.payload)}</pre>
        </section>
      </>
    );
  if (letter.error instanceof Refused && letter.error.status === 404)
    return <Empty>There is no such event in the inbox.</Empty>;
  return <Wrong what="The event" error={letter.error} retry={() => letter.refetch()} />;
}

function indented(payload: string): string {
  try {
    return JSON.stringify(JSON.parse(payload), null, 2);
  } catch {
    return payload;
  }
}
