// The command line's splits, on generated sets and on folders of IDX files.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { loadData } from "../../cli/data.js";
import { fault } from "../support/fault.js";
import { idxBytes } from "../support/idx.js";

const folder = mkdtempSync(join(tmpdir(), "webvae-splits-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Images in which byte i has the value first + i, with or without labels. */
function write(prefix: string, shape: readonly number[], first: number, labels?: readonly number[]): void {
  const size = shape.reduce((a, b) => a * b);
  const values = Uint8Array.from({ length: size }, (_, i) => first + i);
  writeFileSync(join(folder, `${prefix}-images-idx3-ubyte`), idxBytes(shape, values));
  const file = join(folder, `${prefix}-labels-idx1-ubyte`);
  rmSync(file, { force: true });
  if (labels) writeFileSync(file, idxBytes([labels.length], Uint8Array.from(labels)));
}

const mnist = { data: "mnist", dataDir: folder, seed: 0 } as const;

describe("the split all", () => {
  it("has the training examples, then the test set's, with their labels", async () => {
    write("train", [3, 2, 2], 0, [7, 8, 9]);
    write("t10k", [2, 2, 2], 100, [1, 2]);
    const { name, shape, count, values, labels } = await loadData(mnist, "all");
    expect({ name, shape, count }).toEqual({ name: "mnist", shape: [2, 2, 1], count: 5 });
    expect([...values]).toEqual([...Array(12).keys(), 100, 101, 102, 103, 104, 105, 106, 107]);
    expect([...labels!]).toEqual([7, 8, 9, 1, 2]);
  });

  it("has no labels if one of them has none", async () => {
    write("t10k", [2, 2, 2], 100);
    const { count, labels } = await loadData(mnist, "all");
    expect(count).toBe(5);
    expect(labels).toBeUndefined();
  });

  it("is limited after both are joined", async () => {
    const { count, values } = await loadData({ ...mnist, limit: 4 }, "all");
    expect(count).toBe(4);
    expect([...values.subarray(12)]).toEqual([100, 101, 102, 103]);
  });

  it("rejects sets whose images differ in shape", async () => {
    write("t10k", [2, 2, 3], 100);
    await expect(loadData(mnist, "all")).rejects.toThrow(
      fault("INVALID_DATA", /splits of mnist.*bytes of 2x2x1 and bytes of 2x3x1/),
    );
  });

  it("joins floats of generated sets", async () => {
    const [train, test, all] = await Promise.all(
      (["train", "test", "all"] as const).map((split) => loadData({ data: "gaussians", seed: 3 }, split)),
    );
    expect(all!.count).toBe(train!.count + test!.count);
    expect(all!.values.constructor).toBe(Float32Array);
    expect([...all!.values.subarray(train!.values.length)]).toEqual([...test!.values]);
  });
});
