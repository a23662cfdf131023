import { Label, ProgressBar } from "@primer/react";
import { credits, creditsMoving, creditsNamed } from "../amounts";
import { decimalsFor, type Level, lastsFor, level, perHour, share, usedBy } from "../burning";
import { duration, moment } from "../durations";
import type { Reservation } from "../service/queries";

interface RunningProps {
  readonly reservations: readonly Reservation[];
  readonly seconds: number;
}

/** What runs: what each thing costs, how much of its limit it has used, and how long it has. */
export function Running({ reservations, seconds }: RunningProps) {
  return (
    <ul className="running">
      {reservations.map((one) => (
        <li key={one.id} className="run">
          <Heading one={one} />
          <Use one={one} seconds={seconds} />
          <p className="soft">
            {one.burning_rate > 0 && `${creditsNamed(perHour(one.burning_rate))} an hour · `}
            since {moment(one.start_date)}
            <Left one={one} seconds={seconds} />
          </p>
        </li>
      ))}
    </ul>
  );
}

function Heading({ one }: { one: Reservation }) {
  return (
    <div className="run-name">
      <h3>{one.resource_given_name}</h3>
      <Label>{one.resource_type}</Label>
      {one.state === "pending" && <Label variant="accent">starting</Label>}
    </div>
  );
}

const COLOURS: Record<Level, string> = {
  calm: "success.emphasis",
  warning: "attention.emphasis",
  critical: "danger.emphasis",
};

const WORDS: Record<Level, string> = {
  calm: "",
  warning: "Three quarters are used",
  critical: "Nearly used up",
};

function Use({ one, seconds }: { one: Reservation; seconds: number }) {
  if (one.state === "pending")
    return <p className="use">{creditsNamed(one.credits)} reserved; it has not started yet</p>;
  const used = creditsMoving(usedBy(one, seconds), decimalsFor(one.burning_rate));
  const part = share(one, seconds);
  if (part === null || one.limit === null) return <p className="use">{used} credits used</p>;
  const near = level(part);
  const told = `${used} of ${creditsNamed(one.limit)} used`;
  return (
    <>
      <p className="use">
        {told}
        {near !== "calm" && (
          <Label variant={near === "warning" ? "attention" : "danger"}>{WORDS[near]}</Label>
        )}
      </p>
      <ProgressBar
        aria-label={`Used by ${one.resource_given_name}`}
        aria-valuenow={Math.floor(part * 100)}
        aria-valuetext={`${Math.floor(part * 100)} % of ${credits(one.limit)} credits`}
        progress={part * 100}
        bg={COLOURS[near]}
      />
    </>
  );
}

/** With a limit, when it is used up; without one it lasts as long as the account does. */
function Left({ one, seconds }: { one: Reservation; seconds: number }) {
  if (one.burning_rate <= 0 || one.state === "pending") return null;
  if (one.limit === null) return <> · as long as credits are available</>;
  const lasts = lastsFor(one, seconds);
  return lasts === null ? null : <> · {duration(lasts)} left</>;
}
