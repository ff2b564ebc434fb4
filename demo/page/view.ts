// The page's view of one model: pictures and the latent space, over a separate channel to the worker.
import type { ExplorerModel, LatentExplorer } from "webvae/explorer";
import type { Connection } from "../calls.js";
import type { Opened, Told } from "../protocol.js";
import { part } from "../faults.js";
import { find } from "./dom.js";
import { galleryOf, type Gallery } from "./gallery.js";
import { NowAndThen } from "./now_and_then.js";

const PICTURES_MS = 250;
const EXPLORER_MS = 1200;

/** The page appears before the explorer's code has loaded. */
const loading = part("explorer.js", import("webvae/explorer"));
// Opening a view reports the error; without this, it would be an unhandled rejection too.
loading.catch(() => {});

export class View {
  readonly #pictures: NowAndThen;
  readonly #exploring: NowAndThen;

  private constructor(
    readonly gallery: Gallery,
    private readonly explorer: LatentExplorer,
    private readonly port: MessagePort,
  ) {
    this.#pictures = new NowAndThen(() => gallery.draw(), PICTURES_MS);
    this.#exploring = new NowAndThen(() => explorer.refresh(), EXPLORER_MS);
  }

  /** Shows the worker's current model in place of the previous view. */
  static async open({ commands, lost }: Connection, opened: Opened, before: View | undefined): Promise<View> {
    const { remoteModel, LatentExplorer } = await loading;
    const { port1, port2 } = new MessageChannel();
    await commands.connect(port2);
    const model: ExplorerModel = await remoteModel(port1, { signal: lost });
    const gallery = galleryOf(model, opened);
    before?.dispose();
    const { examples, exampleLabels, labelNames, kind } = opened.data;
    const explorer = new LatentExplorer(find<HTMLElement>("explorer"), model, {
      points: { mean: new Float32Array(0) },
      ...(kind === "images" ? { images: examples } : {}),
      ...(exampleLabels ? { imageLabels: exampleLabels } : {}),
      ...(labelNames ? { labelNames: [...labelNames] } : {}),
    });
    const view = new View(gallery, explorer, port1);
    await view.draw();
    return view;
  }

  /** Redraws everything with the current weights. */
  async draw(): Promise<void> {
    await this.#pictures.now();
    await this.#exploring.now();
  }

  /** Redraws now and then during training. */
  consider(): void {
    this.#pictures.consider();
    this.#exploring.consider();
  }

  setMeans({ mean, labels }: Extract<Told, { type: "means" }>): void {
    this.explorer.setPoints({ mean, ...(labels ? { labels } : {}) });
  }

  dispose(): void {
    this.gallery.dispose();
    this.explorer.dispose();
    this.port.close();
  }
}
