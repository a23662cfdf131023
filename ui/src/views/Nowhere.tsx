import { Empty } from "../parts/faces";
import { LinkButton } from "../parts/LinkButton";
import { Title } from "../parts/Title";

export function Nowhere() {
  return (
    <>
      <Title>No such page</Title>
      <Empty action={<LinkButton to="">Go to the overview</LinkButton>}>
        There is nothing at this address.
      </Empty>
    </>
  );
}
