import { expect, it } from "vitest";
import { type Early, withKey } from "./early";

const typing = (...keys: string[]): Early =>
  keys.reduce<Early>((early, key) => withKey(early, key) ?? early, { typed: "", entered: false });

it("what is typed early is text, and ends with Enter", () => {
  expect(typing("s", "c", "x", "Backspace", "h")).toEqual({ typed: "sch", entered: false });
  expect(typing("Backspace", "ä", "😀")).toEqual({ typed: "ä😀", entered: false });
  expect(typing("a", "Enter", "b")).toEqual({ typed: "a", entered: true });
});

it("keys that are no text are left alone", () => {
  for (const key of ["Tab", "ArrowDown", "Shift", "F5", "Dead"]) {
    expect(withKey({ typed: "a", entered: false }, key)).toBeUndefined();
  }
});
