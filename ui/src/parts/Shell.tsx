import { Label } from "@primer/react";
import { type ReactNode, useEffect, useRef } from "react";
import { creditsMoving, creditsNamed } from "../amounts";
import { decimalsFor } from "../burning";
import { leave } from "../identity";
import type { Scope } from "../service/caller";
import { type Balance, useBalance, useProfile } from "../service/queries";
import { told } from "../told";
import { Anchor } from "./Anchor";
import { Pending } from "./Pending";

interface Tab {
  readonly path: string;
  readonly name: string;
}

const VIEWS: readonly Tab[] = [
  { path: "", name: "Overview" },
  { path: "buy", name: "Buy credits" },
  { path: "history", name: "History" },
  { path: "keys", name: "API keys" },
];

/** A key of the platform has no account, so there is nothing else for it. */
const CONSOLE: readonly Tab[] = [
  { path: "console", name: "Totals" },
  { path: "console/accounts", name: "Accounts" },
  { path: "console/checkouts", name: "Checkouts" },
  { path: "console/events", name: "Stripe events" },
  { path: "console/doctor", name: "Doctor" },
];

const TABS: Readonly<Record<Scope, readonly Tab[]>> = { user: VIEWS, admin: CONSOLE, service: [] };

/** Above other tabs, and shown at their own address alone. */
const TOPS: ReadonlySet<string> = new Set(["", "console"]);

interface ShellProps {
  readonly path: string;
  readonly scope: Scope;
  readonly children: ReactNode;
}

/** What stands around every view: where one can go, who one is, what one has. */
export function Shell({ path, scope, children }: ShellProps) {
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
          {scope === "user" ? <Available /> : <span className="available" />}
          <Who operator={scope === "admin"} />
        </div>
        <nav aria-label="Credits" className="tabs" ref={tabs}>
          {TABS[scope].map((view) => (
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
        {scope === "user" && path !== "buy/return" && <Pending />}
        {children}
      </main>
    </>
  );
}

function isWithin(path: string, view: string): boolean {
  return path === view || (!TOPS.has(view) && path.startsWith(`${view}/`));
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

function Who({ operator }: { operator: boolean }) {
  const { data } = useProfile();
  const name = data && ([data.first_name_t, data.last_name_t].join(" ").trim() || data.handle_s);
  return (
    <span className="who">
      {name}
      {operator && <Label variant="accent">operator</Label>}
      {told.demo && (
        <button type="button" className="quiet" onClick={leave}>
          Leave the demo
        </button>
      )}
    </span>
  );
}
