import type { ComponentPropsWithoutRef, MouseEvent } from "react";
import { addressOf, goTo } from "../address";

/** Goes to a place of the page as a link does, without loading the page again. */
export function follow(place: string) {
  return (event: MouseEvent) => {
    const elsewhere = event.metaKey || event.ctrlKey || event.shiftKey || event.button !== 0;
    if (elsewhere || event.defaultPrevented) return;
    event.preventDefault();
    goTo(place);
  };
}

type AnchorProps = Omit<ComponentPropsWithoutRef<"a">, "href" | "onClick"> & {
  readonly to: string;
};

export function Anchor({ to, ...more }: AnchorProps) {
  return <a {...more} href={addressOf(to)} onClick={follow(to)} />;
}
