import { type ButtonProps, LinkButton as Primer } from "@primer/react";
import type { ReactNode } from "react";
import { addressOf } from "../address";
import { follow } from "./Anchor";

interface LinkButtonProps {
  readonly to: string;
  readonly children: ReactNode;
  readonly variant?: NonNullable<ButtonProps["variant"]>;
  readonly size?: NonNullable<ButtonProps["size"]>;
  readonly label?: string;
}

/** A link that looks like a button: it leads somewhere, and changes nothing. */
export function LinkButton({ to, children, variant, size, label }: LinkButtonProps) {
  return (
    <Primer
      href={addressOf(to)}
      onClick={follow(to)}
      variant={variant ?? "default"}
      size={size ?? "medium"}
      aria-label={label}
    >
      {children}
    </Primer>
  );
}
