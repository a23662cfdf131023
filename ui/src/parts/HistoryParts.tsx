import { Anchor } from "./Anchor";

const PARTS = [
  { place: "history", name: "Changes of the balance" },
  { place: "history/purchases", name: "Purchases" },
];

/** The two parts of the history, each with an address of its own. */
export function HistoryParts({ at }: { at: string }) {
  return (
    <nav aria-label="History" className="tabs parts">
      {PARTS.map(({ place, name }) => (
        <Anchor key={place} to={place} aria-current={place === at ? "page" : undefined}>
          {name}
        </Anchor>
      ))}
    </nav>
  );
}
