import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

export default defineConfig({
  base: "./", // the page is served wherever its service is mounted
  plugins: [react()],
  build: {
    outDir: "../src/prepaid/ui",
    emptyOutDir: true,
    assetsInlineLimit: 0, // the policy lets nothing inline
    modulePreload: { polyfill: false },
    target: "es2023",
  },
  server: { proxy: { "/api": "http://127.0.0.1:9700", "/demo": "http://127.0.0.1:9700" } },
  test: {
    environment: "happy-dom",
    include: ["tests/**/*.test.ts?(x)"],
    testTimeout: 60_000, // what is waited for has a shorter time of its own
    server: { deps: { inline: [/@primer\/react/] } }, // it imports stylesheets, which Node can't
  },
});
