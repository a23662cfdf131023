import { afterEach, expect, test } from "vitest";
import {
  currentToken,
  enter,
  leave,
  leaveSoon,
  pays,
  takeTokenFromAddress,
  tokenIn,
} from "../src/identity";

afterEach(() => {
  window.sessionStorage.clear();
  window.localStorage.clear();
  window.history.replaceState(null, "", "/credits");
});

test("a fragment gives its token, and keeps the rest", () => {
  expect(tokenIn("#token=abc.def&at=top")).toEqual({ token: "abc.def", rest: "#at=top" });
  expect(tokenIn("#token=abc")).toEqual({ token: "abc", rest: "" });
  expect(tokenIn("")).toEqual({ token: "", rest: "" });
});

test("a token in the address is kept, and gone from the address", () => {
  window.history.replaceState(null, "", "/credits/buy?package=price_1#token=abc");
  takeTokenFromAddress();
  expect(currentToken()).toBe("abc");
  expect(window.location.href).toMatch(/\/credits\/buy\?package=price_1$/);
});

test("the token of Datalayer's own pages is taken, and this page's own goes first", () => {
  window.localStorage.setItem("@datalayer/iam:token", "theirs");
  expect(currentToken()).toBe("theirs");
  enter("ours");
  expect(currentToken()).toBe("ours");
});

test("a token that was not accepted is not used again", () => {
  window.localStorage.setItem("@datalayer/iam:token", "stale");
  leave();
  expect(currentToken()).toBe("");
});

test("who pays stays until the form is gone", () => {
  enter("old");
  const end = pays();
  leaveSoon();
  expect(currentToken()).toBe("old");
  end();
  expect(currentToken()).toBe("");
});

test("who has come anew meanwhile stays for good, and who doesn't pay leaves at once", () => {
  enter("old");
  const end = pays();
  leaveSoon();
  enter("new");
  end();
  expect(currentToken()).toBe("new");
  leaveSoon();
  expect(currentToken()).toBe("");
});
