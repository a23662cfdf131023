import { Button, Label, type LabelProps } from "@primer/react";
import { useMutation } from "@tanstack/react-query";
import { moment } from "../../durations";
import { Empty, Loading, Notice, Wrong } from "../../parts/faces";
import { Title } from "../../parts/Title";
import { examine, type Sign } from "../../service/console";

/** The whole set-up, looked at when somebody asks. */
export function Doctor() {
  const examining = useMutation({ mutationFn: examine });
  const look = () => examining.mutate();
  return (
    <>
      <Title>Doctor</Title>
      <p className="lead">
        The doctor looks at the settings, at Stripe, the webhook, the database and the quarantine,
        and says for each thing what to do. It changes nothing.
      </p>
      {examining.isIdle && (
        <Empty
          action={
            <Button variant="primary" onClick={look}>
              Look now
            </Button>
          }
        >
          It asks Stripe, and takes a few seconds; half a minute at most.
        </Empty>
      )}
      {examining.isPending && <Loading what="what the doctor sees" />}
      {examining.isError && (
        <Wrong what="What the doctor sees" error={examining.error} retry={look} />
      )}
      {examining.data && (
        <>
          <Findings healthy={examining.data.healthy} signs={examining.data.signs} />
          <div className="actions">
            <Button onClick={look}>Look again</Button>
            <span className="soft">Looked at {moment(examining.data.at)}.</span>
          </div>
        </>
      )}
    </>
  );
}

const ORDER = ["fault", "note", "ok"];

const WORDS: Readonly<
  Record<Sign["level"], { word: string; variant: NonNullable<LabelProps["variant"]> }>
> = {
  fault: { word: "fault", variant: "danger" },
  note: { word: "note", variant: "attention" },
  ok: { word: "fine", variant: "success" },
};

function Findings({ healthy, signs }: { healthy: boolean; signs: readonly Sign[] }) {
  const worst = [...signs].sort(
    (one, other) => ORDER.indexOf(one.level) - ORDER.indexOf(other.level),
  );
  return (
    <>
      <Notice
        kind={healthy ? "success" : "critical"}
        title={
          healthy
            ? "There is no fault."
            : "There are faults: they stop sales, or lose track of one."
        }
      />
      <ul className="running">
        {worst.map((sign) => (
          <li key={sign.what} className="run">
            <div className="sign">
              <Label variant={WORDS[sign.level].variant}>{WORDS[sign.level].word}</Label>
              <span className="words">{sign.what}</span>
            </div>
            {sign.remedy && <p className="words">What to do: {sign.remedy}</p>}
          </li>
        ))}
      </ul>
    </>
  );
}
