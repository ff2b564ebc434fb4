// The entry webvae/canvas: the GPU draws pictures on a canvas from the buffer that decode, sample or reconstruct wrote.
import imagesShader from "../shaders/canvas/images.wgsl";
import { quoted } from "./checks.js";
import { WebvaeError } from "./errors.js";
import { invalidOption, optionsOf, wholeNumber } from "./options.js";
import { packUniform } from "./shader.js";

/** Red, green and blue, from 0 to 1. */
export type Colour = readonly [red: number, green: number, blue: number];

/** Describes the images in a buffer, and how to draw them. */
export interface DrawOptions {
  /** An image's height, width and channels, 1 or 3. */
  readonly shape: readonly [height: number, width: number, channels: number];
  /** Images in the buffer. */
  readonly count: number;
  /** Images side by side. */
  readonly columns: number;
  /** Space between images, as a fraction of an image's width. Default 0. */
  readonly gap?: number;
  /** Colours of the values 0 and 1 for a single channel. Default black and white. */
  readonly low?: Colour;
  readonly high?: Colour;
  /** Background colour with alpha. Default: none, so the page shows through. */
  readonly background?: readonly [red: number, green: number, blue: number, alpha: number];
}

const known = ["shape", "count", "columns", "gap", "low", "high", "background"] as const;
const [UNIFORM, COPY_DST, STORAGE] = [0x40, 0x08, 0x80]; // GPUBufferUsage
const [VERTEX, FRAGMENT] = [1, 2]; // GPUShaderStage

/** Draws images in a grid that fills a canvas, all with the same number of device pixels. */
export class ImagePainter {
  readonly #device: GPUDevice;
  readonly #context: GPUCanvasContext;
  readonly #canvas: HTMLCanvasElement | OffscreenCanvas;
  readonly #format: GPUTextureFormat;
  readonly #grid: GPUBuffer;
  #disposed = false;

  /** Throws UNSUPPORTED if the canvas has no WebGPU context because it already has another one. */
  constructor(on: { readonly gpuDevice: GPUDevice } | GPUDevice, canvas: HTMLCanvasElement | OffscreenCanvas) {
    const device = "gpuDevice" in on ? on.gpuDevice : on;
    const context = canvas.getContext("webgpu");
    if (!context)
      throw new WebvaeError("UNSUPPORTED", "the canvas has no WebGPU context; it may already have another one");
    const format = navigator.gpu.getPreferredCanvasFormat();
    context.configure({ device, format, alphaMode: "premultiplied" });
    this.#device = device;
    this.#context = context;
    this.#canvas = canvas;
    this.#format = format;
    const { bytes } = imagesShader.uniforms.grid!;
    this.#grid = device.createBuffer({ label: "grid", size: bytes, usage: UNIFORM | COPY_DST });
  }

  /**
   * Draws the contents of the buffer: f32 [count, ...shape] without padding, from 0 to 1, with usage STORAGE. It may be
   * overwritten at once, since WebGPU keeps the order. Throws INVALID_OPTION, INVALID_DATA for the buffer, and
   * DISPOSED.
   */
  draw(images: GPUBuffer, options: DrawOptions): void {
    if (this.#disposed) throw new WebvaeError("DISPOSED", "this ImagePainter has been disposed of");
    const { shape, count, columns, gap, low, high, background } = checked(options);
    const [height, width, channels] = shape;
    const bytes = 4 * count * height * width * channels;
    if (!(images?.size >= bytes && images.usage & STORAGE)) {
      const message = `draw: ${count} images of [${shape.join(", ")}] take ${bytes} bytes of usage STORAGE; the buffer has`;
      throw new WebvaeError("INVALID_DATA", `${message} ${images?.size} and usage ${images?.usage}`);
    }
    const canvas = { width: this.#canvas.width, height: this.#canvas.height };
    if (canvas.width === 0 || canvas.height === 0) return;
    const places = gridOf(canvas, [height, width], count, columns, gap);
    const [low_r, low_g, low_b] = low;
    const [high_r, high_g, high_b] = high;
    const colours = { low_r, low_g, low_b, high_r, high_g, high_b };
    const values = packUniform(imagesShader, "grid", { ...places, columns, height, width, ...colours });
    this.#device.queue.writeBuffer(this.#grid, 0, values);
    const reduced = width > places.cell_width || height > places.cell_height;
    const pipeline = pipelineOf(this.#device, this.#format, channels, reduced);
    const group = this.#device.createBindGroup({
      label: "images",
      layout: pipeline.getBindGroupLayout(0),
      entries: [
        { binding: imagesShader.bindings.grid!.binding, resource: { buffer: this.#grid } },
        { binding: imagesShader.bindings.images!.binding, resource: { buffer: images, size: bytes } },
      ],
    });
    const [r, g, b, alpha] = background;
    const clearValue = { r: r * alpha, g: g * alpha, b: b * alpha, a: alpha };
    const encoder = this.#device.createCommandEncoder({ label: "paint" });
    const view = this.#context.getCurrentTexture().createView();
    const pass = encoder.beginRenderPass({
      label: "paint",
      colorAttachments: [{ view, clearValue, loadOp: "clear", storeOp: "store" }],
    });
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, group);
    pass.draw(4, count);
    pass.end();
    this.#device.queue.submit([encoder.finish()]);
  }

  /** Releases the canvas, and leaves it empty. Safe to call twice. */
  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    this.#context.unconfigure();
    this.#grid.destroy();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}

const pipelines = new WeakMap<GPUDevice, Map<string, GPURenderPipeline>>();

/** Made once for all canvases of a device, which share one format. */
function pipelineOf(device: GPUDevice, format: GPUTextureFormat, channels: number, reduced: boolean) {
  const made = pipelines.get(device) ?? new Map<string, GPURenderPipeline>();
  pipelines.set(device, made);
  const key = `${channels} ${reduced}`;
  const known = made.get(key);
  if (known) return known;
  const module = device.createShaderModule({ label: "images", code: imagesShader.code as string });
  const { grid, images } = imagesShader.bindings;
  const group = device.createBindGroupLayout({
    label: "images",
    entries: [
      { binding: grid!.binding, visibility: VERTEX, buffer: { type: "uniform" } },
      { binding: images!.binding, visibility: FRAGMENT, buffer: { type: "read-only-storage" } },
    ],
  });
  const constants = { CHANNELS: channels, REDUCED: reduced ? 1 : 0 };
  const pipeline = device.createRenderPipeline({
    label: "images",
    layout: device.createPipelineLayout({ bindGroupLayouts: [group] }),
    primitive: { topology: "triangle-strip" },
    vertex: { module, entryPoint: "corner" },
    fragment: { module, entryPoint: "paint", constants, targets: [{ format }] },
  });
  made.set(key, pipeline);
  return pipeline;
}

/** The positions of images of `size` [height, width] on a canvas, in whole device pixels, as large as possible. */
function gridOf(
  canvas: { readonly width: number; readonly height: number },
  [height, width]: readonly [number, number],
  count: number,
  columns: number,
  gap: number,
) {
  const rows = Math.ceil(count / columns);
  const across = canvas.width / (width * (columns + (columns - 1) * gap));
  const down = canvas.height / (height * rows + width * (rows - 1) * gap);
  const scale = Math.min(across, down);
  const cell_width = Math.max(1, Math.floor(scale * width));
  const cell_height = Math.max(1, Math.floor(scale * height));
  // The pixels left over go to the gaps, if there are any.
  const gaps = Math.floor(scale * width * gap);
  return {
    canvas_width: canvas.width,
    canvas_height: canvas.height,
    cell_width,
    cell_height,
    gap: gaps,
    left: Math.floor((canvas.width - columns * cell_width - (columns - 1) * gaps) / 2),
    top: Math.floor((canvas.height - rows * cell_height - (rows - 1) * gaps) / 2),
  };
}

function checked(options: DrawOptions): Required<DrawOptions> {
  const own = optionsOf(options, "draw", known);
  const { shape, count, columns, gap = 0 } = own;
  const { low = [0, 0, 0], high = [1, 1, 1], background = [0, 0, 0, 0] } = own;
  const numbers = (value: unknown, length: number, fits: (n: number) => boolean) =>
    Array.isArray(value) && value.length === length && value.every((n) => typeof n === "number" && fits(n));
  const whole = (n: number) => Number.isSafeInteger(n) && n > 0;
  if (!numbers(shape, 3, whole) || ![1, 3].includes(shape[2])) {
    throw invalidOption(`draw: shape must be [height, width, 1 or 3], not ${quoted(shape)}`);
  }
  wholeNumber("draw: count", count);
  wholeNumber("draw: columns", columns);
  if (!numbers([gap], 1, (n) => n >= 0 && n < Infinity)) {
    throw invalidOption(`draw: gap must be a fraction of an image's width, not ${quoted(gap)}`);
  }
  for (const [name, colour] of Object.entries({ low, high, background })) {
    const length = name === "background" ? 4 : 3;
    if (numbers(colour, length, (n) => n >= 0 && n <= 1)) continue;
    throw invalidOption(`draw: ${name} must be ${length} numbers from 0 to 1, not ${quoted(colour)}`);
  }
  return { shape, count, columns, gap, low, high, background };
}

/** The result of this thread's probe. */
let probed: Promise<boolean> | undefined;

/**
 * Whether a WebGPU canvas can be used here. Where it cannot, as in headless Chrome without certain flags, the first
 * frame of one costs the page and its workers all their devices. On hardware the answer is true without trying. On a
 * software adapter it is the result of an earlier probe, or false. With `probe`, tries a throw-away device: call this
 * before the page, or any of its threads, has a device that it wants to keep.
 */
export async function canvasKeepsDevice(
  gpu: GPU | undefined = (globalThis.navigator as Navigator | undefined)?.gpu,
  options: { readonly probe?: boolean } = {},
): Promise<boolean> {
  const adapter = await gpu?.requestAdapter();
  if (!gpu || !adapter || !("OffscreenCanvas" in globalThis)) return false;
  const { isFallbackAdapter, architecture, description } = adapter.info;
  const software =
    isFallbackAdapter || /swiftshader|llvmpipe|lavapipe|basic render|warp/i.test(architecture + description);
  if (!software) return true;
  if (options.probe) probed ??= survives(gpu, adapter);
  return (await probed) ?? false;
}

/** The longest that a device takes to report that it is lost, after work on it has failed or ended. */
const PATIENCE_MS = 300;

async function answers(device: GPUDevice): Promise<boolean> {
  const buffer = device.createBuffer({ size: 4, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST });
  return buffer.mapAsync(GPUMapMode.READ).then(
    () => true,
    () => false,
  );
}

async function survives(gpu: GPU, adapter: GPUAdapter): Promise<boolean> {
  try {
    const device = await adapter.requestDevice({ label: "probe of the canvas" });
    const lost = device.lost.then(() => false);
    const context = new OffscreenCanvas(4, 4).getContext("webgpu");
    if (!context) return false;
    context.configure({ device, format: gpu.getPreferredCanvasFormat() });
    const encoder = device.createCommandEncoder();
    const view = context.getCurrentTexture().createView();
    encoder.beginRenderPass({ colorAttachments: [{ view, loadOp: "clear", storeOp: "store" }] }).end();
    device.queue.submit([encoder.finish()]);
    // The queue of a lost device may report that its work is done.
    const done = device.queue.onSubmittedWorkDone().then(
      () => new Promise<boolean>((resolve) => setTimeout(resolve, PATIENCE_MS, true)),
      () => false,
    );
    // On a busy machine the report may take longer, but requests to a lost device fail before that.
    const alive = (await Promise.race([lost, done])) && (await answers(device));
    device.destroy();
    return alive;
  } catch {
    return false;
  }
}
