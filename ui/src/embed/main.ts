/**
 * Two elements for pages that aren't ours: `<prepaid-balance>` and `<prepaid-buy>`. They are built into
 * one script, which the service has at `credits/embed.js`.
 */

import { PrepaidBalance } from "./Balance";
import { PrepaidBuy } from "./Buy";

const ELEMENTS = { "prepaid-balance": PrepaidBalance, "prepaid-buy": PrepaidBuy };

for (const [name, element] of Object.entries(ELEMENTS))
  if (!customElements.get(name)) customElements.define(name, element);
