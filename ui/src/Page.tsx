/** The page: who you are, where you are, and the view that belongs there. */

import { BaseStyles } from "@primer/react";
import { useQueryClient } from "@tanstack/react-query";
import { lazy, Suspense, useEffect, useRef } from "react";
import { goTo, type Place, usePlace } from "./address";
import { takeTokenFromAddress, useToken } from "./identity";
import { Boundary } from "./parts/Boundary";
import { Loading, Wrong } from "./parts/faces";
import { Shell } from "./parts/Shell";
import { SimulatorStrip } from "./parts/SimulatorStrip";
import { isKey, type Scope, useCaller } from "./service/caller";
import { useStream } from "./service/stream";
import { Buy } from "./views/Buy";
import { Door } from "./views/Door";
import { ForOperators, NoAccount } from "./views/NotHere";
import { Nowhere } from "./views/Nowhere";
import { Overview } from "./views/Overview";

const Console = lazy(() => import("./views/console/Console"));
const History = lazy(() => import("./views/History"));
const Keys = lazy(() => import("./views/Keys"));
const Pay = lazy(() => import("./views/Pay"));
const Purchases = lazy(() => import("./views/Purchases"));
const Returned = lazy(() => import("./views/Returned"));

export function Page() {
  const token = useToken();
  const cache = useQueryClient();
  useEffect(() => {
    window.addEventListener("hashchange", takeTokenFromAddress);
    return () => window.removeEventListener("hashchange", takeTokenFromAddress);
  }, []);
  const shown = useRef(token);
  if (shown.current !== token) {
    shown.current = token;
    cache.clear(); // what one account had is not shown to another
  }
  return (
    <BaseStyles>
      <SimulatorStrip />
      {token ? <Inside key={token} token={token} /> : <Door />}
    </BaseStyles>
  );
}

/** A platform's token is a user's. A key may be anybody's: nothing is asked of an account before it
 * is known that there is one. */
function Inside({ token }: { token: string }) {
  return isKey(token) ? <WithKey /> : <Views scope="user" />;
}

function WithKey() {
  const caller = useCaller();
  if (caller.data) return <Views scope={caller.data.scope} />;
  return (
    <main className="door">
      {caller.isPending ? (
        <Loading what="who you are" />
      ) : (
        <Wrong what="This page" error={caller.error} retry={() => caller.refetch()} />
      )}
    </main>
  );
}

function Views({ scope }: { scope: Scope }) {
  const place = usePlace();
  const leadsOn = scope === "admin" && place.path === "";
  useEffect(() => {
    if (leadsOn) goTo("console", "replace"); // what an operator begins with
  }, [leadsOn]);
  return (
    <Shell path={place.path} scope={scope}>
      {scope === "user" && <Following />}
      <Boundary key={place.path}>
        <Suspense fallback={<Loading what="the page" />}>
          {leadsOn ? null : <View place={place} scope={scope} />}
        </Suspense>
      </Boundary>
    </Shell>
  );
}

function Following() {
  useStream();
  return null;
}

function View({ place, scope }: { place: Place; scope: Scope }) {
  if (/^console(\/|$)/.test(place.path))
    return scope === "admin" ? <Console place={place} /> : <ForOperators scope={scope} />;
  return scope === "user" ? <Own place={place} /> : <NoAccount scope={scope} />;
}

/** What users have. */
function Own({ place }: { place: Place }) {
  switch (place.path) {
    case "":
      return <Overview />;
    case "buy": {
      const priceId = place.query.get("package");
      return priceId ? <Pay key={priceId} priceId={priceId} /> : <Buy />;
    }
    case "buy/return": {
      const session = place.query.get("session_id") ?? "";
      return <Returned key={session} session={session} />;
    }
    case "history":
      return <History query={place.query} />;
    case "history/purchases":
      return <Purchases query={place.query} />;
    case "keys":
      return <Keys />;
    default:
      return <Nowhere />;
  }
}
