/**
 * What happens to the account, as the service tells it. Events go into the query cache, so nothing
 * else on the page knows that there is a stream; without one the page asks every few seconds.
 */

import { type QueryClient, useQueryClient } from "@tanstack/react-query";
import { EventSourceParserStream } from "eventsource-parser/stream";
import { useEffect } from "react";
import { currentToken } from "../identity";
import { SERVICE } from "../told";
import type { Balance } from "./queries";

const STREAM = new URL("api/iam/v1/usage/stream", SERVICE);
const SILENT_SECONDS = 40; // the service says something every 15
const LONGEST_PAUSE_SECONDS = 15;

let live = false;

/** Whether the stream is telling: then there is no need to ask. */
export function isLive(): boolean {
  return live;
}

interface Told {
  readonly event?: string | undefined;
  readonly data: string;
}

/** What an event means to the cache. */
export function hear(cache: QueryClient, told: Told): void {
  if (told.event === "balance") {
    cache.setQueryData<Balance>(["balance"], {
      success: true,
      message: "OK",
      ...(JSON.parse(told.data) as Omit<Balance, "success" | "message">), // our own service wrote it
    });
  } else if (told.event) {
    const stale = ["reservations", "entries", "checkout"];
    for (const name of stale) void cache.invalidateQueries({ queryKey: [name] });
  }
}

/** Listens while the page is looked at. A hidden tab gives its connection back: browsers have few. */
export function useStream(): void {
  const cache = useQueryClient();
  useEffect(() => {
    let listening: AbortController | undefined;
    const turn = () => {
      listening?.abort();
      listening = undefined;
      if (document.visibilityState !== "visible") return;
      listening = new AbortController();
      void listen(cache, listening.signal);
    };
    const away = () => ask(cache); // no answer tells the page so before the stream falls silent
    turn();
    document.addEventListener("visibilitychange", turn);
    window.addEventListener("offline", away);
    window.addEventListener("online", turn); // without waiting for the next try
    return () => {
      document.removeEventListener("visibilitychange", turn);
      window.removeEventListener("offline", away);
      window.removeEventListener("online", turn);
      listening?.abort();
    };
  }, [cache]);
}

function ask(cache: QueryClient): void {
  void cache.invalidateQueries({ queryKey: ["balance"] });
}

async function listen(cache: QueryClient, stopped: AbortSignal): Promise<void> {
  let pause = 1;
  while (!stopped.aborted) {
    try {
      await read(cache, stopped, () => {
        pause = 1;
      });
    } catch (error) {
      if (error instanceof NoStream) return;
    } finally {
      live = false;
    }
    if (!stopped.aborted) ask(cache); // what we were told last may be old by now
    await sleep(pause, stopped);
    pause = Math.min(LONGEST_PAUSE_SECONDS, pause * 2);
  }
}

/** The service has no stream for us: asking again would not help. */
class NoStream extends Error {}

async function read(cache: QueryClient, stopped: AbortSignal, began: () => void): Promise<void> {
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
    const headers = { Authorization: `Bearer ${currentToken()}`, Accept: "text/event-stream" };
    const answer = await fetch(STREAM, { headers, signal, cache: "no-store" });
    if (answer.status < 500 && !answer.ok) throw new NoStream();
    if (!answer.ok || !answer.body) return;
    began();
    live = true;
    const events = answer.body
      .pipeThrough(heard)
      .pipeThrough(new TextDecoderStream())
      .pipeThrough(new EventSourceParserStream());
    const reader = events.getReader();
    for (let part = await reader.read(); !part.done; part = await reader.read())
      hear(cache, part.value);
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
