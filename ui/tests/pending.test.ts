import { afterEach, expect, test } from "vitest";
import { forgetPending, notePending } from "../src/pending";

const kept = () => window.localStorage.getItem("prepaid:checkout");

afterEach(() => window.localStorage.clear());

test("a second checkout doesn't take the first one's note away", () => {
  notePending("cs_1");
  notePending("cs_2");
  notePending("cs_1");
  expect(kept()).toBe("cs_2 cs_1");
  forgetPending("cs_3");
  forgetPending("cs_2");
  expect(kept()).toBe("cs_1");
  forgetPending("cs_1");
  expect(kept()).toBeNull();
});

test("of many the last are noted", () => {
  for (const session of ["cs_1", "cs_2", "cs_3", "cs_4"]) notePending(session);
  expect(kept()).toBe("cs_2 cs_3 cs_4");
});
