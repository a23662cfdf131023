import { Button, FormControl, Select, TextInput } from "@primer/react";
import { useMutation } from "@tanstack/react-query";
import { type FormEvent, useId } from "react";
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
import { Empty, Loading, Wrong } from "../parts/faces";
import { LinkButton } from "../parts/LinkButton";
import { Title } from "../parts/Title";
import { type Entry, entriesAsCsv, useEntries } from "../service/queries";

/** How the balance came about. */
export default function History({ query }: { query: URLSearchParams }) {
  const chosen = chosenIn(query);
  return (
    <>
      <Title>History</Title>
      <Choice key={placeOfHistory(chosen)} chosen={chosen} />
      <Entries chosen={chosen} />
    </>
  );
}

/** The filters. They go into the address, and from there to the service. */
function Choice({ chosen }: { chosen: Chosen }) {
  const choose = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const written = new URLSearchParams(
      [...form].map(([name, value]): [string, string] => [name, String(value)]),
    );
    goTo(placeOfHistory(chosenIn(written)));
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
        <LinkButton to="history" variant="invisible">
          Show everything
        </LinkButton>
      </div>
    </form>
  );
}

function Entries({ chosen }: { chosen: Chosen }) {
  const wanted = queryOf(chosen);
  const entries = useEntries(wanted);
  if (entries.isPending) return <Loading what="the history" />;
  if (!entries.data)
    return <Wrong what="The history" error={entries.error} retry={() => entries.refetch()} />;
  if (entries.data.length === 0) return <NoEntries filtered={Object.keys(wanted).length > 0} />;
  return (
    <>
      <Csv chosen={chosen} />
      <Table entries={entries.data} />
      {entries.isFetchNextPageError && <Wrong what="What is older" error={entries.error} />}
      {entries.hasNextPage && (
        <Button loading={entries.isFetchingNextPage} onClick={() => entries.fetchNextPage()}>
          Show older
        </Button>
      )}
    </>
  );
}

function NoEntries({ filtered }: { filtered: boolean }) {
  if (filtered) return <Empty>Nothing matches these filters.</Empty>;
  return (
    <Empty
      action={
        <LinkButton to="buy" variant="primary">
          Buy credits
        </LinkButton>
      }
    >
      Nothing has happened yet. What you buy and spend will stand here.
    </Empty>
  );
}

/** All that matches, as a file. It is asked for with the token, so a plain link can't get it. */
function Csv({ chosen }: { chosen: Chosen }) {
  const saving = useMutation({
    mutationFn: () => entriesAsCsv(queryOf(chosen)),
    onSuccess: ({ blob, name }) => {
      const link = document.createElement("a");
      link.href = URL.createObjectURL(blob);
      link.download = name;
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 10_000); // the browser reads it meanwhile
    },
  });
  return (
    <>
      <div className="actions before">
        <Button loading={saving.isPending} onClick={() => saving.mutate()}>
          Save as CSV
        </Button>
      </div>
      {saving.isError && <Wrong what="The file" error={saving.error} />}
    </>
  );
}

function Table({ entries }: { entries: readonly Entry[] }) {
  const title = useId();
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a part that scrolls sideways takes the keyboard
    <section className="sideways" aria-labelledby={title} tabIndex={0}>
      <table className="entries">
        <caption id={title} className="hidden">
          Changes of your balance, newest first
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
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
