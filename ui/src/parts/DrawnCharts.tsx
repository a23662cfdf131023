import { useState } from "react";
import { SPANS, type Span, WEEK } from "../charts";
import { BalanceChart } from "./BalanceChart";
import { Pick } from "./Pick";
import { SpendingChart } from "./SpendingChart";

/** What there was and what it went to, over one span. */
export default function DrawnCharts() {
  const [span, setSpan] = useState<Span>(WEEK);
  return (
    <>
      <div className="charts-span">
        <Pick
          label="Time that the charts show"
          of={SPANS}
          picked={span}
          named={(one) => one.name}
          pick={setSpan}
        />
      </div>
      <BalanceChart span={span} />
      <SpendingChart span={span} />
    </>
  );
}
