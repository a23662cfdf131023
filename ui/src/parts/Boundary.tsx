import { Button } from "@primer/react";
import { Component, type ReactNode } from "react";
import { Notice } from "./faces";

/** What is shown in the place of a view that broke, or whose code couldn't be loaded. */
export class Boundary extends Component<{ children: ReactNode }, { broken: boolean }> {
  override state = { broken: false };

  static getDerivedStateFromError() {
    return { broken: true };
  }

  override render() {
    if (!this.state.broken) return this.props.children;
    return (
      <Notice
        kind="critical"
        title="This view could not be shown."
        action={<Button onClick={() => window.location.reload()}>Reload the page</Button>}
      >
        Nothing was bought or changed by it. Reload the page; there may be a newer version.
      </Notice>
    );
  }
}
