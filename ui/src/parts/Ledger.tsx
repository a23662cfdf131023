import { Button, FormControl, Select, TextInput } from "@primer/react";
import { type FormEvent, type ReactNode, useId } from "react";
import { goTo } from "../address";
import { credits, creditsSigned } from "../amounts";
import { moment } from "../durations";
import {
  type Chosen,
  chosenIn,
  KINDS,
  kindNamed,
  placeOfHistory,
  queryOf,
  wordsOf,
} from "../history";
import { type Entry, entriesAsCsv, useEntries } from "../service/queries";
import { Empty, Loading, Wrong } from "./faces";
import { LinkButton } from "./LinkButton";
import { SaveCsv } from "./SaveCsv";

interface LedgerProps {
  readonly chosen: Chosen;
  /** The place that the filters are kept in. */
  readonly home: string;
  /** Whose entries, where an operator looks; else one's own. */
  readonly accountUid?: string;
  /** What is shown where there is no entry at all. */
  readonly nothing: ReactNode;
}

/** The entries of an account: filtered, older on demand, and as a file. */
export function Ledger({ chosen, home, ...more }: LedgerProps) {
  return (
    <>
      <Choice key={placeOfHistory(chosen, home)} chosen={chosen} home={home} />
      <Entries chosen={chosen} {...more} />
    </>
  );
}

/** The filters. They go into the address, and from there to the service. */
function Choice({ chosen, home }: { chosen: Chosen; home: string }) {
  const choose = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const written = new URLSearchParams(
      [...form].map(([name, value]): [string, string] => [name, String(value)]),
    );
    goTo(placeOfHistory(chosenIn(written), home));
  };
  return (
    <form className="choice" onSubmit={choose} aria-label="Filters">
      <FormControl>
        <FormControl.Label>What</FormControl.Label>
        <Select name="kind" defaultValue={chosen.kind}>
          <Select.Option value="">Everything</Select.Option>
          {Object.entries(KINDS).map(([kind, name]) => (
            <Select.Option key={kind} value={kind}>
              {name}
            </Select.Option>
          ))}
        </Select>
      </FormControl>
      <FormControl>
        <FormControl.Label>From day</FormControl.Label>
        <TextInput name="since" type="date" defaultValue={chosen.since} />
      </FormControl>
      <FormControl>
        <FormControl.Label>To day</FormControl.Label>
        <TextInput name="until" type="date" defaultValue={chosen.until} />
      </FormControl>
      <FormControl>
        <FormControl.Label>Spent on</FormControl.Label>
        <TextInput name="resource" defaultValue={chosen.resource} maxLength={200} />
      </FormControl>
      <div className="choice-buttons">
        <Button type="submit">Filter</Button>
        <LinkButton to={home} variant="invisible">
          Show everything
        </LinkButton>
      </div>
    </form>
  );
}

function Entries({ chosen, accountUid, nothing }: Omit<LedgerProps, "home">) {
  const filters = queryOf(chosen);
  const wanted = accountUid === undefined ? filters : { ...filters, account_uid: accountUid };
  const entries = useEntries(wanted);
  if (entries.isPending) return <Loading what="the history" />;
  if (!entries.data)
    return <Wrong what="The history" error={entries.error} retry={() => entries.refetch()} />;
  if (entries.data.length === 0)
    return Object.keys(filters).length > 0 ? (
      <Empty>Nothing matches these filters.</Empty>
    ) : (
      nothing
    );
  return (
    <>
      <SaveCsv file={() => entriesAsCsv(wanted)} />
      <Table entries={entries.data} operator={accountUid !== undefined} />
      {entries.isFetchNextPageError && <Wrong what="What is older" error={entries.error} />}
      {entries.hasNextPage && (
        <Button loading={entries.isFetchingNextPage} onClick={() => entries.fetchNextPage()}>
          Show older
        </Button>
      )}
    </>
  );
}

/** An operator is told who wrote each entry, too. */
function Table({ entries, operator }: { entries: readonly Entry[]; operator: boolean }) {
  const title = useId();
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a part that scrolls sideways takes the keyboard
    <section className="sideways" aria-labelledby={title} tabIndex={0}>
      <table className="entries">
        <caption id={title} className="hidden">
          Changes of {operator ? "the" : "your"} balance, newest first
        </caption>
        <thead>
          <tr>
            <th scope="col">When</th>
            <th scope="col">What</th>
            <th scope="col" className="number">
              Credits
            </th>
            <th scope="col" className="number">
              Balance after
            </th>
            <th scope="col">For</th>
            {operator && <th scope="col">By</th>}
          </tr>
        </thead>
        <tbody>
          {entries.map((entry) => (
            <tr key={entry.id}>
              <td>{moment(entry.at)}</td>
              <td>{kindNamed(entry.kind)}</td>
              <td className="number">{creditsSigned(entry.credits)}</td>
              <td className="number">{credits(entry.balance)}</td>
              <td className="words">{wordsOf(entry)}</td>
              {operator && <td>{entry.actor}</td>}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
