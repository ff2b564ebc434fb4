// Mounts the explorer as the address asks: ?model=file|mlp|mlp20|points|colour & where=page|worker & canvas=gpu. What
// tests need to know of it is in `explored`.
import { dense, models, VAE, type ModelSpec } from "webvae";
import { digits, gaussians, sprites } from "webvae/datasets";
import { canvasKeepsDevice } from "webvae/canvas";
import { LatentExplorer, localModel, remoteModel, type ExplorerModel } from "webvae/explorer";

const query = new URLSearchParams(location.search);
const kind = query.get("model") ?? "file";

const colour: ModelSpec = {
  input: [64, 64, 3],
  encoder: [dense(8)],
  latent: 3,
  decoder: [dense(8), dense(64 * 64 * 3)],
  likelihood: "bernoulli",
};
const specs: Record<string, ModelSpec> = {
  mlp: models.mlp([28, 28, 1], 2),
  mlp20: models.mlp([28, 28, 1], 20),
  points: models.points([2], 2),
  colour,
};

async function openVae(): Promise<VAE> {
  if (kind !== "file") return VAE.create(specs[kind]!, { seed: 3, tuning: false });
  const file = await fetch("/digits.safetensors");
  return VAE.load(new Uint8Array(await file.arrayBuffer()), { tuning: false });
}

function dataSet() {
  const options = { split: "test", count: Number(query.get("count") ?? 300), seed: 2 } as const;
  return kind === "points" ? gaussians(options) : kind === "colour" ? sprites(options) : digits(options);
}

/** When each picture request was fulfilled, and for which latents; by which picture, and how many it waited for. */
const drawn: { at: number; z: Float32Array; picture: number; waited: number }[] = [];
let pictures = 0;
let counted = false;
/** Requests that the model has not answered yet. */
let asked = 0;
const underWay = () => asked;

async function answer<Result>(request: Promise<Result>): Promise<Result> {
  asked++;
  try {
    return await request;
  } finally {
    asked--;
  }
}

function followed(model: ExplorerModel): ExplorerModel {
  return {
    spec: model.spec,
    encode: (x) => answer(model.encode(x)),
    decode: (z) => answer(model.decode(z)),
    reconstruct: (x) => answer(model.reconstruct(x)),
    elbo: (x) => answer(model.elbo(x)),
    attach: (canvas) => {
      const surface = model.attach(canvas);
      return new Proxy(surface, {
        get: (target, name: keyof typeof surface) => {
          if (name === "show") return (x: Float32Array, columns: number) => answer(target.show(x, columns));
          if (name !== "decode") return (target[name] as () => unknown).bind(target);
          return async (z: Float32Array, columns: number) => {
            const before = pictures;
            await answer(target.decode(z, columns));
            // All requests fulfilled in one turn belong to one picture.
            if (!counted) {
              counted = true;
              pictures++;
              setTimeout(() => (counted = false));
            }
            drawn.push({ at: performance.now(), z, picture: pictures, waited: pictures - before });
          };
        },
      });
    },
  };
}

/** When each pointer move reached the page. */
const moved: number[] = [];
addEventListener("pointermove", () => moved.push(performance.now()), { capture: true });

const { values, labels } = dataSet();
const images = values instanceof Float32Array ? values : Float32Array.from(values, (value) => value / 255);
const errors: string[] = [];
// On a software adapter the GPU draws canvases only after a probe, which must come before any device is opened.
if (query.get("canvas") === "gpu" && !(await canvasKeepsDevice(navigator.gpu, { probe: true }))) {
  throw new Error("a WebGPU canvas costs the device here");
}
let vae: VAE | undefined;
let model: ExplorerModel;
if (query.get("where") === "worker") {
  const worker = new Worker(new URL("explorer_worker.js", import.meta.url), { type: "module" });
  worker.postMessage({ kind, canvas: query.get("canvas") });
  model = await remoteModel(worker);
  Object.assign(globalThis, { worker });
} else {
  vae = await openVae();
  model = localModel(vae);
}
const explorer = new LatentExplorer(document.getElementById("root")!, followed(model), {
  images,
  ...(labels ? { imageLabels: labels } : {}),
  onError: (error) => errors.push(String(error)),
});
const explored = { explorer, model, vae, images, labels, drawn, moved, errors, underWay };
Object.assign(globalThis, { explored });
export type Explored = typeof explored;
document.body.dataset["done"] = "yes";
