/** What the service tells the page in its index, and where the page lives. */

export interface Told {
  /** The way from here to the page's home. */
  readonly home: string;
  readonly stripe_key: string;
  readonly stripe_js: string;
  readonly simulator: boolean;
  readonly demo: boolean;
}

const NOTHING: Told = {
  home: "./",
  stripe_key: "",
  stripe_js: "",
  simulator: false,
  demo: false,
};

function read(): Told {
  const written = document.getElementById("settings")?.textContent;
  return written ? (JSON.parse(written) as Told) : NOTHING; // our own service wrote it
}

export const told = read();

/** The address of the page's home, with a slash at its end: `https://host/anything/credits/`. */
export const HOME = new URL(told.home, window.location.href);

/** Where the service's routes begin: one above the page's home. */
export const SERVICE = new URL("..", HOME);
