import { chosenIn } from "../history";
import { Empty } from "../parts/faces";
import { HistoryParts } from "../parts/HistoryParts";
import { Ledger } from "../parts/Ledger";
import { LinkButton } from "../parts/LinkButton";
import { Title } from "../parts/Title";

/** How the balance came about. */
export default function History({ query }: { query: URLSearchParams }) {
  return (
    <>
      <Title>History</Title>
      <HistoryParts at="history" />
      <Ledger chosen={chosenIn(query)} home="history" nothing={<NoEntries />} />
    </>
  );
}

function NoEntries() {
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
