import { Button } from "@primer/react";
import { type ReactNode, useId } from "react";
import { Notice, Wrong } from "../../parts/faces";
import { Refused } from "../../service/refused";

interface FigureProps {
  readonly name: string;
  readonly note: ReactNode;
  readonly children: ReactNode;
}

export function Figure({ name, note, children }: FigureProps) {
  return (
    <div className="figure">
      <dt>{name}</dt>
      <dd>{children}</dd>
      <dd className="note">{note}</dd>
    </div>
  );
}

interface ColumnsProps {
  readonly caption: string;
  /** What the columns are called; those of numbers begin with "#". */
  readonly names: readonly string[];
  readonly children: ReactNode;
}

/** A table that scrolls by itself where there is no room for it. */
export function Columns({ caption, names, children }: ColumnsProps) {
  const title = useId();
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a part that scrolls sideways takes the keyboard
    <section className="sideways" aria-labelledby={title} tabIndex={0}>
      <table className="entries">
        <caption id={title} className="hidden">
          {caption}
        </caption>
        <thead>
          <tr>
            {names.map((name) => (
              <th key={name} scope="col" className={name.startsWith("#") ? "number" : undefined}>
                {name.replace("#", "")}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>{children}</tbody>
      </table>
    </section>
  );
}

interface Paged {
  readonly hasNextPage: boolean;
  readonly isFetchingNextPage: boolean;
  readonly isFetchNextPageError: boolean;
  readonly error: unknown;
  readonly fetchNextPage: () => unknown;
}

/** The way to the next page, below a list. */
export function More({ of, name }: { of: Paged; name: string }) {
  return (
    <>
      {of.isFetchNextPageError && <Wrong what="The rest" error={of.error} />}
      {of.hasNextPage && (
        <Button loading={of.isFetchingNextPage} onClick={() => of.fetchNextPage()}>
          {name}
        </Button>
      )}
    </>
  );
}

/** What came of something that an operator wanted done and that wasn't, as far as it is known. */
export function Undone({ what, error }: { what: string; error: unknown }) {
  const open = !(error instanceof Refused) || error.passes;
  return (
    <Notice
      kind="critical"
      title={open ? "It is not known whether that was done." : `${what} Nothing has changed.`}
    >
      {error instanceof Refused ? error.message : "Something went wrong on this page."}
      {open && " Send it again as it is: it is done once, however often it is sent."}
    </Notice>
  );
}
