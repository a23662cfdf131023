import { useState } from "react";
import { Bar, BarChart, LabelList, ResponsiveContainer, Tooltip, XAxis, YAxis } from "recharts";
import { credits, creditsNamed } from "../amounts";
import { type Cost, costsOf, type Span, shortened } from "../charts";
import { type Spending, type SpendingBy, useSpending } from "../service/queries";
import { Charted, type Form, Rows } from "./Charted";
import { AXIS, TIP } from "./drawing";
import { Empty, Loading, Wrong } from "./faces";
import { Pick } from "./Pick";

const ROW_HEIGHT = 36;
const ROOM = 8;

const WAYS: readonly SpendingBy[] = ["resource", "resource_type"];
const NAMES: Readonly<Record<SpendingBy, string>> = { resource: "Each", resource_type: "By type" };

/** What credits went to, over a span. */
export function SpendingChart({ span }: { span: Span }) {
  const [by, setBy] = useState<SpendingBy>("resource");
  const ways = (
    <Pick
      label="What spending is summed up by"
      of={WAYS}
      picked={by}
      named={(one) => NAMES[one]}
      pick={setBy}
    />
  );
  return (
    <Charted
      title="Spending"
      choice={ways}
      show={(form) => <Costs span={span} by={by} form={form} />}
    />
  );
}

function Costs({ span, by, form }: { span: Span; by: SpendingBy; form: Form }) {
  const spending = useSpending(span, by);
  if (spending.isPending) return <Loading what="the spending" />;
  if (!spending.data)
    return <Wrong what="The spending" error={spending.error} retry={() => spending.refetch()} />;
  const { total } = spending.data;
  const costs = costsOf(spending.data, by);
  return form === "Chart" ? (
    <Bars costs={costs} span={span} runs={total.accrued > 0} />
  ) : (
    <Table costs={costs} total={total} by={by} />
  );
}

const AT_THE_END = { position: "right", fill: "var(--fgColor-default)", fontSize: 12 } as const;

function told(one: Cost): string {
  return credits(one.credits);
}

interface BarsProps {
  readonly costs: readonly Cost[];
  readonly span: Span;
  readonly runs: boolean;
}

function Bars({ costs, span, runs }: BarsProps) {
  if (costs.length === 0) return <Empty>Nothing was spent in the last {span.name}.</Empty>;
  return (
    <>
      <ResponsiveContainer width="100%" height={costs.length * ROW_HEIGHT + ROOM}>
        <BarChart
          data={[...costs]}
          layout="vertical"
          accessibilityLayer={false}
          role="img"
          title={`Spending in the last ${span.name}: most on ${costs[0]?.name}, ${creditsNamed(costs[0]?.credits ?? 0)}. The table has all the numbers.`}
          margin={{ top: 0, right: 80, bottom: 0, left: 0 }}
        >
          <XAxis hide type="number" domain={[0, "dataMax"]} />
          <YAxis
            {...AXIS}
            type="category"
            dataKey="id"
            width="auto"
            interval={0}
            tickFormatter={(id: string) =>
              shortened(costs.find((one) => one.id === id)?.name ?? "")
            }
          />
          <Tooltip
            {...TIP}
            labelFormatter={(id) => costs.find((one) => one.id === id)?.name}
            formatter={(amount, name) => [creditsNamed(Number(amount)), name]}
          />
          <Bar
            dataKey="spent"
            name="Booked"
            stackId="cost"
            fill="var(--data-blue-color-emphasis)"
            animationDuration={300}
          >
            <LabelList
              {...AT_THE_END}
              dataKey={(one: Cost) => (one.accrued > 0 ? "" : told(one))}
            />
          </Bar>
          <Bar
            dataKey="accrued"
            name="Running now"
            stackId="cost"
            fill="var(--data-green-color-emphasis)"
            animationDuration={300}
          >
            <LabelList
              {...AT_THE_END}
              dataKey={(one: Cost) => (one.accrued > 0 ? told(one) : "")}
            />
          </Bar>
        </BarChart>
      </ResponsiveContainer>
      {runs && (
        <ul className="legend">
          <li data-part="spent">Booked</li>
          <li data-part="accrued">Running now</li>
        </ul>
      )}
    </>
  );
}

interface TableProps {
  readonly costs: readonly Cost[];
  readonly total: Spending["total"];
  readonly by: SpendingBy;
}

function Table({ costs, total, by }: TableProps) {
  const each = by === "resource";
  return (
    <Rows name="Spending in credits, most first">
      <thead>
        <tr>
          <th scope="col">{each ? "Spent on" : "Type"}</th>
          {each && <th scope="col">Type</th>}
          <th scope="col" className="number">
            Credits
          </th>
          <th scope="col" className="number">
            Booked
          </th>
          <th scope="col" className="number">
            Running now
          </th>
        </tr>
      </thead>
      <tbody>
        {costs.map((one) => (
          <tr key={one.id}>
            <th scope="row">{one.name}</th>
            {each && <td>{one.type}</td>}
            <Amounts of={one} />
          </tr>
        ))}
      </tbody>
      <tfoot>
        <tr>
          <th scope="row">Together</th>
          {each && <td />}
          <Amounts of={total} />
        </tr>
      </tfoot>
    </Rows>
  );
}

function Amounts({ of }: { of: Pick<Cost, "credits" | "spent" | "accrued"> }) {
  return (
    <>
      <td className="number">{credits(of.credits)}</td>
      <td className="number">{credits(of.spent)}</td>
      <td className="number">{credits(of.accrued)}</td>
    </>
  );
}
