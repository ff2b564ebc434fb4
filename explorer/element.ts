// <webvae-explorer src="model.safetensors">: the explorer as a tag (explorer/README.md). It releases its GPU resources
// when it leaves the document, and loads again when it comes back.
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

/** A server that renders pages has no elements; the class is never used there. */
const Base = (globalThis as { HTMLElement?: typeof HTMLElement }).HTMLElement ?? (class {} as typeof HTMLElement);

/** Attributes whose change requires loading again. */
const SOURCES = ["src", "data", "images-src", "labels-src", "label-names", "seed"];

/** `<webvae-explorer>`: the latent explorer of a saved model. */
export class WebvaeExplorerElement extends Base {
  static readonly observedAttributes = [...SOURCES, "tab"];

  readonly #root = this.attachShadow({ mode: "open" });
  /** Set by a program, so not disposed of here. */
  #given: { vae?: VAE; model?: ExplorerModel } = {};
  #examples: Examples | undefined;
  #explorer: LatentExplorer | undefined;
  #model: ExplorerModel | undefined;
  /** Loaded here from a file. */
  #owned: VAE | undefined;
  #loading: AbortController | undefined;
  #asked = false;
  /** From the start of a load until what it loaded is released. */
  #live = false;

  connectedCallback(): void {
    adoptStyles(this.#root);
    // Not if it has only been moved.
    if (!this.#live) this.#ask();
  }

  disconnectedCallback(): void {
    // If it moved within the document, it is connected again before this runs.
    queueMicrotask(() => {
      if (!this.isConnected) this.#release();
    });
  }

  attributeChangedCallback(name: string, before: string | null, now: string | null): void {
    if (before === now) return;
    if (name === "tab") this.#explorer?.open(now ?? "explore");
    else this.#ask();
  }

  /** The model being explored, once it is loaded. Can be set, for example to one in a worker (remoteModel). */
  get model(): ExplorerModel | undefined {
    return this.#model;
  }

  set model(model: ExplorerModel | undefined) {
    this.#given = model ? { model } : {};
    this.#ask();
  }

  /** The VAE in use on this page. Can be set instead of `src`; the owner must still dispose of it. */
  get vae(): VAE | undefined {
    return this.#given.vae ?? this.#owned;
  }

  set vae(vae: VAE | undefined) {
    this.#given = vae ? { vae } : {};
    this.#ask();
  }

  /** Examples to use instead of `data` or `images-src`. */
  get examples(): Examples | undefined {
    return this.#examples;
  }

  set examples(examples: Examples | undefined) {
    this.#examples = examples;
    this.#ask();
  }

  /** The position in the latent space; undefined while nothing is loaded. */
  get latent(): Float32Array | undefined {
    return this.#explorer?.latent;
  }

  set latent(z: Float32Array | undefined) {
    if (z) this.#explorer!.latent = z;
  }

  /** Redraws after the model's weights have changed. */
  refresh(): void {
    this.#explorer?.refresh();
  }

  /** Runs once for all changes made in one turn. */
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
      this.#fail(Object.assign(new Error(message || "the GPU device was lost"), { code: "DEVICE_LOST" }));
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

/** Defines the tag, once per document. Importing webvae/explorer does this. */
export function defineExplorer(): void {
  const { customElements: registry } = globalThis as { customElements?: CustomElementRegistry };
  if (registry && !registry.get("webvae-explorer")) registry.define("webvae-explorer", WebvaeExplorerElement);
}
