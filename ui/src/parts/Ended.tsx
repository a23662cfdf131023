import { Label, type LabelProps } from "@primer/react";
import { creditsNamed } from "../amounts";
import { moment } from "../durations";
import { useEnded } from "../service/queries";
import { Empty, Loading, Wrong } from "./faces";

const HOW: Record<string, { word: string; variant: NonNullable<LabelProps["variant"]> }> = {
  settled: { word: "finished", variant: "success" },
  released: { word: "cancelled", variant: "secondary" },
  lost: { word: "lost", variant: "attention" },
  depleted: { word: "ran out", variant: "danger" },
};

/** What ended last, what it cost, and why it ended. */
export function Ended() {
  const ended = useEnded();
  if (ended.isPending) return <Loading what="what ended" />;
  if (!ended.data)
    return <Wrong what="What ended" error={ended.error} retry={() => ended.refetch()} />;
  if (ended.data.length === 0) return <Empty>Nothing has run yet.</Empty>;
  return (
    <ul className="running">
      {ended.data.map((one) => (
        <li key={one.id} className="run">
          <div className="run-name">
            <h3>{one.resource_given_name}</h3>
            <Label>{one.resource_type}</Label>
            <Label variant={HOW[one.state]?.variant ?? "default"}>
              {HOW[one.state]?.word ?? one.state}
            </Label>
          </div>
          <p className="use">Cost: {creditsNamed(one.used)}</p>
          <p className="soft">
            {one.end_date && moment(one.end_date)}
            {one.why && ` · ${one.why}`}
          </p>
        </li>
      ))}
    </ul>
  );
}
