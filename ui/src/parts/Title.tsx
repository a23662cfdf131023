import { Heading } from "@primer/react";
import { useEffect } from "react";

/** A view's title, in the view and on its tab. */
export function Title({ children }: { children: string }) {
  useEffect(() => {
    document.title = `${children} · Credits`;
  }, [children]);
  return (
    <Heading as="h1" variant="medium" className="title">
      {children}
    </Heading>
  );
}
