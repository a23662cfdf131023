/** The faces that every view has beside its right one: loading, empty, wrong. */

import { Banner, Button, Spinner } from "@primer/react";
import type { ReactNode } from "react";
import { Refused } from "../service/client";

export function Loading({ what }: { what: string }) {
  return (
    <p className="loading" role="status">
      <Spinner size="small" srText={null} /> Loading {what} …
    </p>
  );
}

export function Empty({ children, action }: { children: ReactNode; action?: ReactNode }) {
  return (
    <div className="empty">
      <p>{children}</p>
      {action}
    </div>
  );
}

interface WrongProps {
  readonly what: string;
  readonly error: unknown;
  readonly retry?: () => void;
}

/** What can't be shown, why, and the way on. */
export function Wrong({ what, error, retry }: WrongProps) {
  const why = error instanceof Refused ? error.message : "Something went wrong on this page.";
  return (
    <Notice
      kind="critical"
      title={`${what} can't be shown now.`}
      action={retry && <Button onClick={retry}>Try again</Button>}
    >
      {why}
    </Notice>
  );
}

interface NoticeProps {
  readonly kind: "info" | "success" | "warning" | "critical";
  readonly title: string;
  readonly children?: ReactNode;
  readonly action?: ReactNode;
}

export function Notice({ kind, title, children, action }: NoticeProps) {
  return (
    <div className="notice" role={kind === "critical" ? "alert" : undefined}>
      <Banner aria-label={title} title={title} variant={kind} description={children} />
      {action && <div className="actions">{action}</div>}
    </div>
  );
}
