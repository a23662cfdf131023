import {
  Area,
  AreaChart,
  CartesianGrid,
  ResponsiveContainer,
  Tooltip,
  XAxis,
  YAxis,
} from "recharts";
import { credits, creditsNamed } from "../amounts";
import { between, markNamed, marksOf, roughly, type Span, type Step, stepsOf } from "../charts";
import { momentExact } from "../durations";
import { useBalanceHistory } from "../service/queries";
import { Charted, type Form, Rows } from "./Charted";
import { AXIS, GRID, TIP } from "./drawing";
import { Empty, Loading, Wrong } from "./faces";

const HEIGHT = 240;

/** The balance after each change, over a span. */
export function BalanceChart({ span }: { span: Span }) {
  return (
    <Charted title="Credits over time" show={(form) => <Balances span={span} form={form} />} />
  );
}

const NOTE = "The balance before reservations: what runs is taken off when it ends.";
const FEWER = "There are too many changes to show: of each short time, the last one is.";

function Balances({ span, form }: { span: Span; form: Form }) {
  const history = useBalanceHistory(span);
  if (history.isPending) return <Loading what="the credits over time" />;
  if (!history.data)
    return (
      <Wrong what="The credits over time" error={history.error} retry={() => history.refetch()} />
    );
  const steps = stepsOf(history.data.points);
  return (
    <>
      {form === "Chart" ? <Line steps={steps} span={span} /> : <Table steps={steps} />}
      <p className="soft">
        {NOTE} {!history.data.every_change && FEWER}
      </p>
    </>
  );
}

function Line({ steps, span }: { steps: readonly Step[]; span: Span }) {
  const first = steps[0]?.at ?? 0;
  const last = steps.at(-1)?.at ?? 0;
  if (steps.every(({ balance }) => balance === 0))
    return <Empty>You had no credits in the last {span.name}.</Empty>;
  return (
    <ResponsiveContainer width="100%" height={HEIGHT}>
      <AreaChart
        data={[...steps]}
        accessibilityLayer={false}
        role="img"
        title={`Credits over the last ${span.name}: from ${credits(steps[0]?.balance ?? 0)} to ${creditsNamed(steps.at(-1)?.balance ?? 0)}. The table has all the numbers.`}
        margin={{ top: 8, right: 8, bottom: 0, left: 0 }}
      >
        <CartesianGrid {...GRID} vertical={false} />
        <XAxis
          {...AXIS}
          dataKey="at"
          type="number"
          scale="time"
          domain={[first, last]}
          ticks={marksOf(first, last)}
          tickFormatter={(at: number) => markNamed(at, between(first, last))}
          minTickGap={16}
        />
        <YAxis
          {...AXIS}
          width="auto"
          domain={[0, "auto"]}
          tickFormatter={(amount: number) => roughly(amount)}
        />
        <Tooltip
          {...TIP}
          labelFormatter={(at) => momentExact(Number(at))}
          formatter={(balance) => [creditsNamed(Number(balance)), "Balance"]}
        />
        <Area
          type="stepAfter"
          dataKey="balance"
          stroke="var(--data-blue-color-emphasis)"
          strokeWidth={2}
          fill="var(--data-blue-color-muted)"
          fillOpacity={0.6}
          animationDuration={300}
        />
      </AreaChart>
    </ResponsiveContainer>
  );
}

function Table({ steps }: { steps: readonly Step[] }) {
  return (
    <Rows name="Credits over time, newest first">
      <thead>
        <tr>
          <th scope="col">When</th>
          <th scope="col" className="number">
            Credits
          </th>
        </tr>
      </thead>
      <tbody>
        {steps.toReversed().map(({ at, balance }) => (
          <tr key={at}>
            <td>{momentExact(at)}</td>
            <td className="number">{credits(balance)}</td>
          </tr>
        ))}
      </tbody>
    </Rows>
  );
}
