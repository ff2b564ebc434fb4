// Page functions for the tests of webvae/canvas: paint, and read the canvas's pixels.
import { models, VAE, WebvaeError } from "webvae";
import { canvasKeepsDevice, ImagePainter, type DrawOptions } from "webvae/canvas";

const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST;
let device: GPUDevice;

async function theDevice(): Promise<GPUDevice> {
  device ??= await (await navigator.gpu.requestAdapter())!.requestDevice();
  return device;
}

/** RGBA of a canvas painted in this task. */
function pixelsOf(canvas: HTMLCanvasElement): number[] {
  const flat = new OffscreenCanvas(canvas.width, canvas.height).getContext("2d")!;
  flat.drawImage(canvas, 0, 0);
  return [...flat.getImageData(0, 0, canvas.width, canvas.height).data];
}

function newCanvas(width: number, height: number): HTMLCanvasElement {
  const canvas = Object.assign(document.createElement("canvas"), { width, height });
  canvas.style.cssText = `display: block; width: ${width / devicePixelRatio}px; height: ${height / devicePixelRatio}px`;
  document.body.replaceChildren(canvas);
  return canvas;
}

/** Paints `values` on a canvas of the page, twice, since the old content must be gone. */
async function paints(size: [number, number], values: number[], options: DrawOptions) {
  const on = await theDevice();
  const buffer = on.createBuffer({ size: 4 * values.length, usage });
  on.queue.writeBuffer(buffer, 0, Float32Array.from(values));
  const canvas = newCanvas(...size);
  const painter = new ImagePainter(on, canvas);
  painter.draw(buffer, { ...options, low: [1, 0, 0], high: [1, 0, 0], background: [1, 0, 0, 1] });
  painter.draw(buffer, options);
  const pixels = pixelsOf(canvas);
  Object.assign(globalThis, { painter });
  return pixels;
}

/** A model's samples, painted without leaving the GPU, and the same ones read back. */
async function paintsModel() {
  const vae = await VAE.create(models.mlp([28, 28, 1], 2), { seed: 3, tuning: false });
  const z = Float32Array.from({ length: 2 * 9 }, (_, i) => 8 * Math.sin(7 * i));
  const to = vae.gpuDevice.createBuffer({ size: 4 * 784 * 9, usage });
  const canvas = newCanvas(84, 84);
  const painter = new ImagePainter(vae, canvas);
  await vae.decode(z, { to });
  painter.draw(to, { shape: [28, 28, 1], count: 9, columns: 3 });
  const pixels = pixelsOf(canvas);
  const values = [...(await vae.decode(z))];
  painter.dispose();
  vae.dispose();
  return { pixels, values };
}

/** Milliseconds of `call` and its GPU work: the median of many, and the minimum, which waited for nothing else. */
async function timed(times: number, call: (i: number) => Promise<unknown>): Promise<{ median: number; least: number }> {
  const all: number[] = [];
  for (let i = 0; i < times; i++) {
    const began = performance.now();
    await call(i);
    all.push(performance.now() - began);
  }
  all.sort((a, b) => a - b);
  return { median: all[Math.floor(times / 2)]!, least: all[0]! };
}

/** The time for a picture of one latent under the pointer, painted and read back, compared with 64. */
async function latency(times: number) {
  const vae = await VAE.create(models.mlp([28, 28, 1], 20), { seed: 3 });
  const { queue } = vae.gpuDevice;
  const to = vae.gpuDevice.createBuffer({ size: 4 * 784, usage });
  const painter = new ImagePainter(vae, newCanvas(280, 280));
  const latents = (count: number, i: number) => Float32Array.from({ length: 20 * count }, (_, j) => Math.sin(i + j));
  const paint = () => painter.draw(to, { shape: [28, 28, 1], count: 1, columns: 1 });
  const decoded = await timed(times, async (i) => {
    await vae.decode(latents(1, i), { to });
    await queue.onSubmittedWorkDone();
  });
  const both = await timed(times, async (i) => {
    await vae.decode(latents(1, i), { to });
    paint();
    await queue.onSubmittedWorkDone();
  });
  const read = await timed(times, (i) => vae.decode(latents(1, i)));
  const many = await timed(times, (i) => vae.decode(latents(64, i)));
  const { name } = vae.adapter;
  painter.dispose();
  vae.dispose();
  return { name, decoded, both, read, many };
}

/** Code and message of the error that a call throws. */
function fault(call: () => unknown): string {
  try {
    call();
    return "nothing";
  } catch (error) {
    return error instanceof WebvaeError ? `${error.code} ${error.message}` : String(error);
  }
}

async function refuses() {
  const on = await theDevice();
  const canvas = newCanvas(8, 8);
  const painter = new ImagePainter({ gpuDevice: on }, canvas);
  const buffer = on.createBuffer({ size: 4 * 12, usage });
  const options: DrawOptions = { shape: [2, 2, 1], count: 3, columns: 2 };
  const draw = (given: object) => fault(() => painter.draw(buffer, { ...options, ...given }));
  const unfit = on.createBuffer({ size: 4 * 12, usage: GPUBufferUsage.COPY_DST });
  const flat = newCanvas(8, 8);
  flat.getContext("2d");
  const faults = {
    shape: draw({ shape: [2, 2, 2] }),
    count: draw({ count: 0 }),
    columns: draw({ columns: 1.5 }),
    gap: draw({ gap: -1 }),
    low: draw({ low: [0, 0, 2] }),
    background: draw({ background: [0, 0, 0] }),
    unknown: draw({ coloumns: 2 }),
    small: draw({ count: 4 }),
    usage: fault(() => painter.draw(unfit, options)),
    context: fault(() => new ImagePainter(on, flat)),
    fine: draw({}),
  };
  canvas.width = 0;
  const empty = draw({});
  painter.dispose();
  painter.dispose();
  return { ...faults, empty, disposed: draw({}) };
}

async function keeps() {
  const before = await canvasKeepsDevice();
  const probed = await canvasKeepsDevice(navigator.gpu, { probe: true });
  return { before, probed, after: await canvasKeepsDevice(), none: await canvasKeepsDevice({} as GPU).catch(String) };
}

Object.assign(globalThis, { painting: { paints, paintsModel, latency, refuses, keeps } });
export type Painting = {
  paints: typeof paints;
  paintsModel: typeof paintsModel;
  latency: typeof latency;
  refuses: typeof refuses;
  keeps: typeof keeps;
};
