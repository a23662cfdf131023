/**
 * Follows an account over the service's stream, for as long as somebody looks at the page; it
 * connects again whenever the connection is lost.
 */

import { EventSourceParserStream } from "eventsource-parser/stream";

/** Where the stream is, from where the service's routes begin. */
export const STREAM = "api/iam/v1/usage/stream";

const SILENT_SECONDS = 40; // the service says something every 15
const LONGEST_PAUSE_SECONDS = 15;

export interface Told {
  readonly event?: string | undefined;
  readonly data: string;
}

export interface Follower {
  /** Who asks: told anew for each connection. */
  readonly token: () => string | Promise<string>;
  readonly hear: (told: Told) => void;
  /** What was told last may be old by now. */
  readonly doubt: () => void;
  /** Whether the stream is telling. */
  readonly turn: (live: boolean) => void;
}

/** Begins; the function that it returns ends it. A hidden tab gives its connection back: browsers
 * have few. */
export function follow(stream: URL, follower: Follower): () => void {
  let listening: AbortController | undefined;
  const look = () => {
    listening?.abort();
    listening = undefined;
    if (document.visibilityState !== "visible") return;
    listening = new AbortController();
    void listen(stream, follower, listening.signal);
  };
  const away = () => follower.doubt(); // no answer tells so before the stream falls silent
  look();
  document.addEventListener("visibilitychange", look);
  window.addEventListener("offline", away);
  window.addEventListener("online", look); // without waiting for the next try
  return () => {
    document.removeEventListener("visibilitychange", look);
    window.removeEventListener("offline", away);
    window.removeEventListener("online", look);
    listening?.abort();
  };
}

async function listen(stream: URL, follower: Follower, stopped: AbortSignal): Promise<void> {
  let pause = 1;
  while (!stopped.aborted) {
    try {
      await read(stream, follower, stopped, () => {
        pause = 1;
      });
    } catch (error) {
      if (error instanceof NoStream) {
        follower.doubt();
        return;
      }
    } finally {
      follower.turn(false);
    }
    if (!stopped.aborted) follower.doubt();
    await sleep(pause, stopped);
    pause = Math.min(LONGEST_PAUSE_SECONDS, pause * 2);
  }
}

/** The service has no stream for us: asking again would not help. */
class NoStream extends Error {}

async function read(
  stream: URL,
  follower: Follower,
  stopped: AbortSignal,
  began: () => void,
): Promise<void> {
  const silent = new AbortController();
  const wait = () => setTimeout(() => silent.abort(), SILENT_SECONDS * 1000);
  let waiting = wait();
  const heard = new TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>({
    transform(chunk, on) {
      clearTimeout(waiting);
      waiting = wait();
      on.enqueue(chunk);
    },
  });
  try {
    const signal = AbortSignal.any([stopped, silent.signal]);
    const token = await follower.token();
    if (!token) throw new NoStream(); // nobody is signed in
    const headers = {
      Authorization: `Bearer ${token}`,
      Accept: "text/event-stream",
    };
    const answer = await fetch(stream, { headers, signal, cache: "no-store" });
    if (answer.status < 500 && !answer.ok) throw new NoStream();
    if (!answer.ok || !answer.body) return;
    began();
    follower.turn(true);
    const events = answer.body
      .pipeThrough(heard)
      .pipeThrough(new TextDecoderStream())
      .pipeThrough(new EventSourceParserStream());
    const reader = events.getReader();
    for (let part = await reader.read(); !part.done; part = await reader.read())
      follower.hear(part.value);
  } finally {
    clearTimeout(waiting);
  }
}

function sleep(seconds: number, stopped: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const waiting = setTimeout(resolve, seconds * 1000);
    stopped.addEventListener("abort", () => {
      clearTimeout(waiting);
      resolve();
    });
  });
}
