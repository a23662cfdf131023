import { rootOf } from "./look";
import { serviceAt, type Token } from "./place";

/** What an element is told by the page around it: where the service is, who asks, in which locale. */
export abstract class Embedded extends HTMLElement {
  static readonly observedAttributes: readonly string[] = [
    "service",
    "locale",
    "token",
    "package",
    "target",
  ];

  protected readonly root = rootOf(this);
  #token: Token | undefined;

  /** Begins, with everything as it is told now. What went on before has ended. */
  protected abstract begin(): void;
  protected abstract end(): void;

  /** A token, or a function that has one. What is set here is never written into the document. */
  get token(): Token {
    return this.#token ?? this.getAttribute("token") ?? "";
  }

  set token(token: Token) {
    this.#token = token;
    this.#again();
  }

  connectedCallback(): void {
    if (Object.hasOwn(this, "token")) {
      const early = this.token; // set before this script had come
      Reflect.deleteProperty(this, "token");
      this.#token = early;
    }
    this.begin();
  }

  disconnectedCallback(): void {
    this.end();
  }

  attributeChangedCallback(): void {
    this.#again();
  }

  protected get service(): URL | null {
    return serviceAt(this.getAttribute("service"));
  }

  /** The locale of the attribute; the browser's own, if there is none or it is none. */
  protected get locale(): string | undefined {
    try {
      return Intl.getCanonicalLocales(this.getAttribute("locale") ?? [])[0];
    } catch {
      return undefined;
    }
  }

  #again(): void {
    if (!this.isConnected) return;
    this.end();
    this.begin();
  }
}

export const NO_SERVICE =
  "This page doesn't say where the service is: the attribute “service” is missing.";
