import { type ReactNode, useEffect, useRef } from "react";
import { creditsMoving, creditsNamed } from "../amounts";
import { decimalsFor } from "../burning";
import { leave } from "../identity";
import { type Balance, useBalance, useProfile } from "../service/queries";
import { told } from "../told";
import { Anchor } from "./Anchor";
import { Pending } from "./Pending";

const VIEWS = [
  { path: "", name: "Overview" },
  { path: "buy", name: "Buy credits" },
  { path: "history", name: "History" },
  { path: "keys", name: "API keys" },
];

/** What stands around every view: where one can go, who one is, what one has. */
export function Shell({ path, children }: { path: string; children: ReactNode }) {
  const content = useRef<HTMLElement>(null);
  const tabs = useRef<HTMLElement>(null);
  const before = useRef(path);
  useEffect(() => {
    if (before.current === path) return;
    before.current = path;
    content.current?.focus(); // a screen reader goes on with the new view
  }, [path]);
  useEffect(() => {
    const here = tabs.current?.querySelector("[aria-current]"); // on a phone they don't all fit
    here?.scrollIntoView({ block: "nearest", inline: "nearest" });
  });
  return (
    <>
      <header className="header">
        <div className="bar">
          <Anchor to="" className="brand">
            Credits
          </Anchor>
          <Available />
          <Who />
        </div>
        <nav aria-label="Credits" className="tabs" ref={tabs}>
          {VIEWS.map((view) => (
            <Anchor
              key={view.path}
              to={view.path}
              aria-current={isWithin(path, view.path) ? "page" : undefined}
            >
              {view.name}
            </Anchor>
          ))}
        </nav>
      </header>
      <main className="content" ref={content} tabIndex={-1}>
        {path !== "buy/return" && <Pending />}
        {children}
      </main>
    </>
  );
}

function isWithin(path: string, view: string): boolean {
  return path === view || (view !== "" && path.startsWith(`${view}/`));
}

function Available() {
  const { data } = useBalance();
  return (
    <span className="available">
      {data && (
        <>
          Available: <strong data-testid="available">{availableOf(data)}</strong>
        </>
      )}
    </span>
  );
}

/** While something burns the last decimals change all the time, and tell nobody anything. */
function availableOf({ available, burning_rate }: Balance): string {
  return burning_rate > 0
    ? `${creditsMoving(available, decimalsFor(burning_rate))} credits`
    : creditsNamed(available);
}

function Who() {
  const { data } = useProfile();
  const name = data && ([data.first_name_t, data.last_name_t].join(" ").trim() || data.handle_s);
  return (
    <span className="who">
      {name}
      {told.demo && (
        <button type="button" className="quiet" onClick={leave}>
          Leave the demo
        </button>
      )}
    </span>
  );
}
