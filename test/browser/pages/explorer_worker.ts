// Serves a model to the page, and stops on request.
import { models, VAE } from "webvae";
import { canvasKeepsDevice } from "webvae/canvas";
import { serveModel, type Port } from "webvae/explorer";

let calls = 0;
let open = 0;

async function openVae(kind: string, canvas?: string | null): Promise<VAE> {
  if (canvas === "gpu") await canvasKeepsDevice(navigator.gpu, { probe: true });
  if (kind === "mlp") return VAE.create(models.mlp([28, 28, 1], 2), { seed: 3, tuning: false });
  const file = await fetch("/digits.safetensors");
  return VAE.load(new Uint8Array(await file.arrayBuffer()), { tuning: false });
}

let stop = () => {};
addEventListener(
  "message",
  ({ data }: MessageEvent<{ kind?: string; canvas?: string | null; stop?: boolean; count?: boolean }>) => {
    if (data.kind !== undefined) {
      const vae = openVae(data.kind, data.canvas);
      // This worker's port carries other messages too.
      stop = serveModel(() => vae, self as unknown as Port, {
        before: async () => {
          calls++;
          open++;
          // A call must wait for this.
          await new Promise((done) => setTimeout(done, 1));
        },
        after: () => void open--,
      });
    }
    if (data.stop) stop();
    if (data.count) postMessage({ calls, open });
  },
);
