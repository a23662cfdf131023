import "@primer/primitives/dist/css/primitives.css";
import "@primer/primitives/dist/css/functional/themes/light.css";
import "@primer/primitives/dist/css/functional/themes/dark.css";
import "./page.css";
import { QueryClientProvider } from "@tanstack/react-query";
import { createRoot } from "react-dom/client";
import { takeTokenFromAddress } from "./identity";
import { Page } from "./Page";
import { forgetWhenStrange, newCache } from "./service/queries";

// The icon's address is relative, as all are, and would follow the page's when that changes.
for (const icon of document.querySelectorAll<HTMLLinkElement>("link[rel=icon]")) {
  icon.href = new URL(icon.href).href;
}
takeTokenFromAddress();
const cache = newCache();
forgetWhenStrange(cache);
const place = document.getElementById("page");
if (!place) throw new Error("The index has no place for the page.");
createRoot(place).render(
  <QueryClientProvider client={cache}>
    <Page />
  </QueryClientProvider>,
);
