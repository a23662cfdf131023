import { Button, FormControl, TextInput } from "@primer/react";
import type { FormEvent } from "react";
import { goTo } from "../../address";
import { credits } from "../../amounts";
import { nameOf, placeOfAccount, withQuery } from "../../console";
import { moment } from "../../durations";
import { Anchor } from "../../parts/Anchor";
import { Empty, Loading, Wrong } from "../../parts/faces";
import { LinkButton } from "../../parts/LinkButton";
import { Title } from "../../parts/Title";
import { useAccounts } from "../../service/console";
import { Columns, More } from "./parts";

/** Everybody's accounts, to find one. */
export function Accounts({ search }: { search: string }) {
  return (
    <>
      <Title>Accounts</Title>
      <Search key={search} search={search} />
      <Found search={search} />
    </>
  );
}

/** What is searched for stands in the address. */
function Search({ search }: { search: string }) {
  const look = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const written = String(new FormData(event.currentTarget).get("search") ?? "").trim();
    goTo(withQuery("console/accounts", { search: written }));
  };
  return (
    <form className="choice" onSubmit={look} aria-label="Search">
      <FormControl>
        <FormControl.Label>Uid, handle, e-mail or name begins with</FormControl.Label>
        <TextInput
          name="search"
          type="search"
          defaultValue={search}
          maxLength={128}
          autoComplete="off"
        />
      </FormControl>
      <div className="choice-buttons">
        <Button type="submit" variant="primary">
          Search
        </Button>
        {search && (
          <LinkButton to="console/accounts" variant="invisible">
            Show everybody
          </LinkButton>
        )}
      </div>
    </form>
  );
}

function Found({ search }: { search: string }) {
  const accounts = useAccounts(search);
  if (accounts.isPending) return <Loading what="the accounts" />;
  if (!accounts.data)
    return <Wrong what="The accounts" error={accounts.error} retry={() => accounts.refetch()} />;
  if (accounts.data.length === 0)
    return (
      <Empty>
        {search
          ? `Nobody has a uid, handle, e-mail or name that begins with “${search}”.`
          : "There is no account yet: each is made when its user first calls."}
      </Empty>
    );
  return (
    <>
      <Columns
        caption="Accounts"
        names={["Account", "#Balance", "#Reserved", "Handle", "E-mail", "Since"]}
      >
        {accounts.data.map((one) => (
          <tr key={one.uid}>
            <th scope="row" className="name">
              <Anchor to={placeOfAccount(one.uid)}>{nameOf(one)}</Anchor>
              {nameOf(one) !== one.uid && <div className="soft uid">{one.uid}</div>}
            </th>
            <td className="number">{credits(one.credits)}</td>
            <td className="number">{credits(one.reserved)}</td>
            <td>{one.handle}</td>
            <td>{one.email}</td>
            <td>{moment(one.created_at)}</td>
          </tr>
        ))}
      </Columns>
      <More of={accounts} name="Show more" />
    </>
  );
}
