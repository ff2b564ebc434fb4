// The names of a visitor's files: classes from folders, and notes about files that are left out.
import { describe, expect, it } from "vitest";
import { classesOf } from "../../demo/data/folders.js";
import { LeftOut, shortName } from "../../demo/data/left_out.js";

describe("folders", () => {
  it("are classes if there are several", () => {
    expect(classesOf(["a.png", "b.png"])).toBeUndefined();
    expect(classesOf(["all/a.png", "all/b.png"])).toBeUndefined();
    expect(classesOf(["pets/dogs/1", "pets/cats/1", "pets/dogs/2"])).toEqual({
      labels: Uint8Array.of(1, 0, 1),
      labelNames: ["cats", "dogs"],
    });
    expect(classesOf(["x/train/1", "y/train/1", "1"])).toEqual({
      labels: Uint8Array.of(1, 2, 0),
      labelNames: ["no folder", "x/train", "y/train"],
    });
    const paths = (n: number) => Array.from({ length: n }, (_, i) => `${i}/picture`);
    expect(classesOf(paths(256))!.labelNames).toHaveLength(256);
    expect(classesOf(paths(257))).toBeUndefined();
  });
});

describe("files that are left out", () => {
  it("are named with their reasons, a few of each", () => {
    const leftOut = new LeftOut();
    expect(leftOut.notes(9)).toEqual([]);
    leftOut.add("a.txt", "no picture");
    for (let i = 0; i < 1003; i++) leftOut.add(`${i}.png`, "empty");
    expect(leftOut.notes(2000)).toEqual([
      "Left out 1,004 of 2,000 files. No picture: a.txt; empty: 0.png, 1.png, 2.png and 1,000 more.",
    ]);
  });

  it("have names that fit a line", () => {
    expect(shortName("plain name.png")).toBe("plain name.png");
    expect(shortName(`${"x".repeat(300)}.jpeg`)).toBe(`${"x".repeat(24)}…${"x".repeat(7)}.jpeg`);
    expect(shortName("\u202egnp.exe\n\0")).toBe("\ufffdgnp.exe\ufffd\ufffd");
    expect(shortName("🙂".repeat(60))).toBe(`${"🙂".repeat(24)}…${"🙂".repeat(12)}`);
  });
});
