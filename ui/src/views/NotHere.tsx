import { Empty } from "../parts/faces";
import { LinkButton } from "../parts/LinkButton";
import { Title } from "../parts/Title";
import type { Scope } from "../service/caller";

/** What is shown at the console's addresses to who is no operator. */
export function ForOperators({ scope }: { scope: Scope }) {
  return (
    <>
      <Title>For operators</Title>
      <Empty action={scope === "user" && <LinkButton to="">Go to the overview</LinkButton>}>
        This part is for those who operate the service: it opens with a key of scope admin.
      </Empty>
    </>
  );
}

/** What is shown at a user's addresses to who holds a key of the platform's own. */
export function NoAccount({ scope }: { scope: Scope }) {
  const operator = scope === "admin";
  return (
    <>
      <Title>No account</Title>
      <Empty
        action={
          operator && (
            <LinkButton to="console" variant="primary">
              Open the console
            </LinkButton>
          )
        }
      >
        {operator
          ? "You are here as an operator, and have no credits of your own."
          : "This key is a program's, of scope service. It has no credits of its own, so there is nothing to show."}
      </Empty>
    </>
  );
}
