// <webvae-explorer src="model.safetensors">: the explorer as a tag (explorer/README.md). What it holds on the GPU it
// lets go of when it leaves the document, and loads again when it comes back.
import { VAE } from "webvae";
import { element } from "./dom.js";
import { download } from "./download.js";
import { loadExamples, type Examples } from "./examples.js";
import { codeOf, faultCard, messageOf } from "./fault_card.js";
import { LatentExplorer } from "./latent_explorer.js";
import { LoadingCard } from "./loading_card.js";
import { localModel } from "./local_model.js";
import type { ExplorerModel } from "./model.js";
import { adoptStyles } from "./styles.js";

/** A server that renders pages has no elements; there the class is never made use of. */
const Base = (globalThis as { HTMLElement?: typeof HTMLElement }).HTMLElement ?? (class {} as typeof HTMLElement);

/** What a change of is loaded anew for. */
const SOURCES = ["src", "data", "images-src", "labels-src", "label-names", "seed"];

/** `<webvae-explorer>`: the latent explorer of a saved model. */
export class WebvaeExplorerElement extends Base {
  static readonly observedAttributes = [...SOURCES, "tab"];

  readonly #root = this.attachShadow({ mode: "open" });
  /** Given by a program, and not to be disposed of here. */
  #given: { vae?: VAE; model?: ExplorerModel } = {};
  #examples: Examples | undefined;
  #explorer: LatentExplorer | undefined;
  #model: ExplorerModel | undefined;
  /** Made here from a file. */
  #owned: VAE | undefined;
  #loading: AbortController | undefined;
  #asked = false;
  /** Between the begin of a load and the release of what it gave. */
  #live = false;

  connectedCallback(): void {
    adoptStyles(this.#root);
    // Not where it has only been moved.
    if (!this.#live) this.#ask();
  }

  disconnectedCallback(): void {
    // Moved within the document it is connected again before this.
    queueMicrotask(() => {
      if (!this.isConnected) this.#release();
    });
  }

  attributeChangedCallback(name: string, before: string | null, now: string | null): void {
    if (before === now) return;
    if (name === "tab") this.#explorer?.open(now ?? "explore");
    else this.#ask();
  }

  /** What is explored, once it is there. Set to a model of one's own, for example one in a worker (remoteModel). */
  get model(): ExplorerModel | undefined {
    return this.#model;
  }

  set model(model: ExplorerModel | undefined) {
    this.#given = model ? { model } : {};
    this.#ask();
  }

  /** The VAE in use on this page. Set to one in hand instead of `src`; it stays its owner's to dispose of. */
  get vae(): VAE | undefined {
    return this.#given.vae ?? this.#owned;
  }

  set vae(vae: VAE | undefined) {
    this.#given = vae ? { vae } : {};
    this.#ask();
  }

  /** Examples in hand, instead of `data` or `images-src`. */
  get examples(): Examples | undefined {
    return this.#examples;
  }

  set examples(examples: Examples | undefined) {
    this.#examples = examples;
    this.#ask();
  }

  /** Where one stands in the latent space; nothing while nothing is loaded. */
  get latent(): Float32Array | undefined {
    return this.#explorer?.latent;
  }

  set latent(z: Float32Array | undefined) {
    if (z) this.#explorer!.latent = z;
  }

  /** Draws again: the model's weights are others. */
  refresh(): void {
    this.#explorer?.refresh();
  }

  /** Once for all changes of one turn. */
  #ask(): void {
    if (!this.isConnected || this.#asked) return;
    this.#asked = true;
    queueMicrotask(() => {
      this.#asked = false;
      if (this.isConnected) void this.#load();
    });
  }

  async #load(): Promise<void> {
    this.#release();
    const source = this.getAttribute("src");
    if (!source && !this.#given.vae && !this.#given.model) return;
    this.#live = true;
    const loading = (this.#loading = new AbortController());
    const { signal } = loading;
    const card = new LoadingCard();
    this.#show(card.element);
    try {
      const model = this.#given.model ?? localModel(this.#given.vae ?? (await this.#open(source!, signal, card)));
      signal.throwIfAborted();
      card.show("Loading the examples");
      const examples = this.#examples ?? (await this.#findExamples(model, signal));
      signal.throwIfAborted();
      this.#mount(model, examples);
    } catch (error) {
      if (!signal.aborted) this.#fail(error);
    }
  }

  async #open(source: string, signal: AbortSignal, card: LoadingCard): Promise<VAE> {
    const bytes = await download(new URL(source, this.baseURI).href, signal, (received, total) =>
      card.show("Loading the model", received, total),
    );
    card.show("Opening the GPU");
    const vae = await VAE.load(bytes, { seed: this.#seed });
    if (signal.aborted) vae.dispose();
    signal.throwIfAborted();
    this.#owned = vae;
    void vae.gpuDevice.lost.then(({ reason, message }) => {
      if (this.#owned !== vae || reason === "destroyed") return;
      this.#fail(Object.assign(new Error(message || "the device is gone"), { code: "DEVICE_LOST" }));
    });
    return vae;
  }

  #findExamples(model: ExplorerModel, signal: AbortSignal): Promise<Examples | undefined> {
    const url = (name: string) => {
      const value = this.getAttribute(name);
      return value ? new URL(value, this.baseURI).href : undefined;
    };
    const data = this.getAttribute("data") ?? undefined;
    const source = { data, images: url("images-src"), labels: url("labels-src") };
    return loadExamples(source, model.spec, this.#seed, signal);
  }

  #mount(model: ExplorerModel, examples: Examples | undefined): void {
    this.#root.replaceChildren();
    this.#model = model;
    const names = this.getAttribute("label-names")?.split(",");
    const labelNames = examples?.labelNames ?? names?.map((name) => name.trim());
    const explorer = new LatentExplorer(this.#root, model, {
      seed: this.#seed,
      ...(examples ? { images: examples.images } : {}),
      ...(examples?.labels ? { imageLabels: examples.labels } : {}),
      ...(labelNames ? { labelNames } : {}),
      onError: (error) => this.#tell("webvae-error", { code: codeOf(error), message: messageOf(error) }),
    });
    this.#explorer = explorer;
    explorer.onMove((z) => this.#tell("webvae-latent", { z }));
    const tab = this.getAttribute("tab");
    if (tab) explorer.open(tab);
    this.#tell("webvae-load", { spec: model.spec });
  }

  #fail(error: unknown): void {
    this.#release();
    this.#show(faultCard(error, () => this.#ask()));
    this.#tell("webvae-error", { code: codeOf(error), message: messageOf(error) });
  }

  #show(card: HTMLElement): void {
    this.#root.replaceChildren(element("div", { class: "webvae" }, card));
  }

  #tell(name: string, detail: unknown): void {
    this.dispatchEvent(new CustomEvent(name, { detail, bubbles: true, composed: true }));
  }

  get #seed(): number {
    const seed = Number(this.getAttribute("seed") ?? 0);
    return Number.isSafeInteger(seed) && seed >= 0 ? seed : 0;
  }

  #release(): void {
    this.#live = false;
    this.#loading?.abort();
    this.#loading = undefined;
    this.#explorer?.dispose();
    this.#explorer = undefined;
    this.#model = undefined;
    this.#owned?.dispose();
    this.#owned = undefined;
    this.#root.replaceChildren();
  }
}

/** Defines the tag, once a document. Importing webvae/explorer does that. */
export function defineExplorer(): void {
  const { customElements: registry } = globalThis as { customElements?: CustomElementRegistry };
  if (registry && !registry.get("webvae-explorer")) registry.define("webvae-explorer", WebvaeExplorerElement);
}
