// The explorer's model interface: surfaces drawn in each way, and a model in a worker.
import type { Page } from "puppeteer";
import { describe, expect, test, vi } from "vitest";
import { inFirefox } from "../../node/browser.mjs";
import { explored, explorerPages, seen, seenOther, settled } from "./explorer_lab.js";
import { PATIENCE } from "./harness.js";
import type { Explored } from "./pages/explorer.js";

const { open, troubles, close } = explorerPages();

describe("surfaces", () => {
  /** Fourteen pixels square, since scaling may differ between ways to draw, but the content may not. */
  async function small(page: Page, selector: string): Promise<number[]> {
    return await page.evaluate(
      async (data) => {
        const image = new Image();
        image.src = `data:image/png;base64,${data}`;
        await image.decode();
        const context = new OffscreenCanvas(14, 14).getContext("2d")!;
        context.drawImage(image, 0, 0, 14, 14);
        return [...context.getImageData(0, 0, 14, 14).data];
      },
      await seen(page, selector),
    );
  }

  test("show the same picture with the GPU and a 2-D canvas, here and in a worker, at any size and in any colours", async () => {
    let flat: number[] | undefined;
    for (const query of ["", "&canvas=gpu", "&canvas=gpu&where=worker"]) {
      const page = await open(`model=file${query}`);
      const before = await seen(page, ".what .picture");
      await explored(page, ({ explorer }) => void (explorer.latent = Float32Array.from([-0.5, 1.5])));
      await settled(page);
      await seenOther(page, ".what .picture", before);
      if (flat) {
        const wanted = flat;
        // A worker's drawing reaches the page a little later.
        await vi.waitFor(
          async () => {
            const pixels = await small(page, ".what .picture");
            expect(Math.max(...pixels.map((value, i) => Math.abs(value - wanted[i]!))), query).toBeLessThan(40);
          },
          { timeout: PATIENCE },
        );
      }
      flat ??= await small(page, ".what .picture");
      // It is a real picture, not blank.
      const reds = flat.filter((_, i) => i % 4 === 0);
      expect(Math.max(...reds) - Math.min(...reds)).toBeGreaterThan(100);
      expect(troubles()).toEqual([]);
      await close();
    }
  });

  // In Firefox 153 the blob of a worker's GPU canvas never arrives.
  const places = ["", "&canvas=gpu", ...(inFirefox ? [] : ["&canvas=gpu&where=worker"])];
  test.each(places)("return their picture as PNG (%s)", async (query) => {
    const page = await open(`model=file${query}`);
    const [type, bytes, colours] = await explored(page, async ({ model, images }) => {
      const canvas = document.createElement("canvas");
      const surface = model.attach(canvas);
      surface.resize(112, 56);
      surface.colours([1, 1, 1], [0, 0, 1]);
      await surface.show(images.subarray(0, 2 * 784), 2);
      const blob = await surface.snapshot();
      const bitmap = await createImageBitmap(blob);
      const context = new OffscreenCanvas(bitmap.width, bitmap.height).getContext("2d")!;
      context.drawImage(bitmap, 0, 0);
      const { data } = context.getImageData(0, 0, bitmap.width, bitmap.height);
      let blue = 0;
      for (let i = 0; i < data.length; i += 4)
        blue += Number(data[i]! < 60 && data[i + 2]! > 200 && data[i + 3] === 255);
      surface.dispose();
      return [blob.type, [bitmap.width, bitmap.height], blue] as const;
    });
    expect(type).toBe("image/png");
    expect(bytes).toEqual([112, 56]);
    expect(colours).toBeGreaterThan(100);
    expect(troubles()).toEqual([]);
  });
});

describe("a model in a worker", () => {
  interface Told {
    readonly calls: number;
    readonly open: number;
  }
  const ask = (page: Page, message: object) =>
    page.evaluate((message) => {
      const { worker } = globalThis as unknown as { worker: Worker };
      worker.postMessage(message);
    }, message);

  test("answers like one on the page, holds training while computing, and rejects calls once it is no longer served", async () => {
    const page = await open("model=mlp");
    const read = async ({ model, images }: Explored) => {
      const x = images.slice(0, 784 * 3);
      const { mean, logVariance } = await model.encode(x);
      const [y, again, elbo] = [await model.decode(mean), await model.reconstruct(x), await model.elbo(x)];
      // The caller can still use what it passed.
      return {
        numbers: [...mean, ...logVariance, ...y.subarray(0, 99), ...again.subarray(0, 99), ...elbo],
        left: x.length,
      };
    };
    const here = await explored(page, read);
    await close();
    const remote = await open("model=mlp&where=worker");
    const there = await explored(remote, read);
    expect(there.left).toBe(784 * 3);
    there.numbers.forEach((value, i) => expect(value).toBeCloseTo(here.numbers[i]!, 4));
    const fault = await explored(remote, ({ model }) =>
      model.decode(Float32Array.from([1, 2, 3])).catch((error: Error & { code?: string }) => [error.name, error.code]),
    );
    expect(fault).toEqual(["RemoteFault", "INVALID_DATA"]);
    const told = remote.evaluate(
      () =>
        new Promise<Told>((resolve) =>
          (globalThis as unknown as { worker: Worker }).worker.addEventListener("message", ({ data }) => {
            if ("calls" in (data as object)) resolve(data as Told);
          }),
        ),
    );
    await ask(remote, { count: true });
    const { calls, open: held } = await told;
    expect(calls).toBeGreaterThan(5);
    expect(held).toBe(0);
    const pending = explored(remote, ({ model, images }) => {
      const all = model.elbo(images);
      (globalThis as unknown as { worker: Worker }).worker.postMessage({ stop: true });
      return all.then(
        () => "answered",
        (error: Error) => error.message,
      );
    });
    expect(await pending).toBe("the model is no longer served");
    // A later call does not wait either.
    const late = explored(remote, ({ model }) =>
      model.decode(Float32Array.from([0, 0])).then(
        () => "answered",
        (error: Error) => error.message,
      ),
    );
    expect(await late).toBe("the model is no longer served");
    expect(troubles()).toEqual([]);
  });
});
