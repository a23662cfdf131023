import { defineConfig } from "vite";

/** The elements for other pages: one script at an address that stays, beside the page's own files. */
export default defineConfig({
  build: {
    outDir: "../src/prepaid/ui",
    emptyOutDir: false, // the page is built first
    target: "es2023",
    lib: {
      entry: "src/embed/main.ts",
      formats: ["iife"], // as one that is no module it runs on any page, and knows its own address
      name: "prepaid",
      fileName: () => "embed.js",
    },
  },
});
