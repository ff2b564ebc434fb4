// The tuner's store in a file: reading back, bad files, and concurrent writers.
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { tuningFile } from "../../node/tuning_file.js";

let folder: string;
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), "webvae-test-"))));
afterEach(() => rmSync(folder, { recursive: true }));
const path = () => join(folder, "made", "tuning.json");

test("returns what was saved for an adapter, and nothing for others", async () => {
  const store = tuningFile(path());
  expect(await store.load("a")).toBeUndefined();
  await store.save("a", { "linear 1x2x3": "tiled" });
  await store.save("b", { "linear 1x2x3": "direct" });
  await store.save("a", { "linear 4x5x6": "subgroups" });
  expect(await tuningFile(path()).load("a")).toEqual({ "linear 4x5x6": "subgroups" });
  expect(await tuningFile(path()).load("b")).toEqual({ "linear 1x2x3": "direct" });
  expect(await store.load("toString")).toBeUndefined();
});

test.each(["", "{", "null", "[1]", '"text"', "7"])("a file that contains %j is ignored and replaced", async (text) => {
  const file = join(folder, "tuning.json");
  writeFileSync(file, text);
  const store = tuningFile(file);
  expect(await store.load("0")).toBeUndefined();
  await store.save("a", { x: "direct" });
  expect(await store.load("a")).toEqual({ x: "direct" });
});

test("concurrent writes: readers see only complete files, and no temporary file is left behind", async () => {
  let read = 0;
  let done = false;
  const reading = (async () => {
    while (!done) {
      if (existsSync(path())) {
        const whole = JSON.parse(readFileSync(path(), "utf8")) as Record<string, object>;
        for (const choices of Object.values(whole)) expect(Object.keys(choices)).toHaveLength(2000);
        read++;
      }
      await new Promise((resolve) => setTimeout(resolve));
    }
  })();
  const choices = Object.fromEntries(Array.from({ length: 2000 }, (_, i) => [`linear 1x1x${i}`, "direct"] as const));
  for (let round = 0; round < 5; round++) {
    await Promise.all(Array.from({ length: 8 }, (_, i) => tuningFile(path()).save(`adapter ${i}`, choices)));
  }
  done = true;
  await reading;
  expect(read).toBeGreaterThan(0);
  expect(readdirSync(join(folder, "made"))).toEqual(["tuning.json"]);
});

test("a folder that cannot be made rejects, and leaves nothing", async () => {
  writeFileSync(join(folder, "made"), "a file");
  const store = tuningFile(path());
  await expect(store.save("a", { x: "direct" })).rejects.toThrow();
  expect(await store.load("a")).toBeUndefined();
  expect(readdirSync(folder)).toEqual(["made"]);
});
