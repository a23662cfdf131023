import "./console.css";
import type { Place } from "../../address";
import { named } from "../../console";
import { Nowhere } from "../Nowhere";
import { Account } from "./Account";
import { Accounts } from "./Accounts";
import { Checkouts } from "./Checkouts";
import { Doctor } from "./Doctor";
import { Event } from "./Event";
import { Events } from "./Events";
import { Totals } from "./Totals";

/** What operators see: everybody's accounts, what was sold, and what needs a person. */
export default function Console({ place }: { place: Place }) {
  const [, what = "", which, ...rest] = place.path.split("/");
  if (rest.length > 0) return <Nowhere />;
  if (which !== undefined) {
    if (what === "accounts") return <Account key={which} uid={named(which)} query={place.query} />;
    return what === "events" ? <Event id={named(which)} /> : <Nowhere />;
  }
  switch (what) {
    case "":
      return <Totals />;
    case "accounts":
      return <Accounts search={place.query.get("search") ?? ""} />;
    case "checkouts":
      return <Checkouts query={place.query} />;
    case "events":
      return <Events query={place.query} />;
    case "doctor":
      return <Doctor />;
    default:
      return <Nowhere />;
  }
}
