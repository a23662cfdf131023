import { BeakerIcon } from "@primer/octicons-react";
import { told } from "../told";

/** Says that payments here are not real, wherever they aren't. */
export function SimulatorStrip() {
  if (!told.simulator) return null;
  return (
    <aside className="strip" aria-label="Simulator">
      <BeakerIcon /> Stripe is simulated here: no real money moves.
    </aside>
  );
}
