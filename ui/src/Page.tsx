/** The page: who you are, where you are, and the view that belongs there. */

import { BaseStyles } from "@primer/react";
import { useQueryClient } from "@tanstack/react-query";
import { lazy, Suspense, useEffect, useRef } from "react";
import { type Place, usePlace } from "./address";
import { takeTokenFromAddress, useToken } from "./identity";
import { Boundary } from "./parts/Boundary";
import { Loading } from "./parts/faces";
import { Shell } from "./parts/Shell";
import { SimulatorStrip } from "./parts/SimulatorStrip";
import { useStream } from "./service/stream";
import { Buy } from "./views/Buy";
import { Door } from "./views/Door";
import { Nowhere } from "./views/Nowhere";
import { Overview } from "./views/Overview";

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
      {token ? <Inside key={token} /> : <Door />}
    </BaseStyles>
  );
}

function Inside() {
  const place = usePlace();
  useStream();
  return (
    <Shell path={place.path}>
      <Boundary key={place.path}>
        <Suspense fallback={<Loading what="the page" />}>
          <View place={place} />
        </Suspense>
      </Boundary>
    </Shell>
  );
}

function View({ place }: { place: Place }) {
  switch (place.path) {
    case "":
      return <Overview />;
    case "buy": {
      const priceId = place.query.get("package");
      return priceId ? <Pay key={priceId} priceId={priceId} /> : <Buy />;
    }
    case "buy/return":
      return <Returned session={place.query.get("session_id") ?? ""} />;
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
