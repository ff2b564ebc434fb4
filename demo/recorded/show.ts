// Plays the recorded run, so that visitors without WebGPU can see what training looks like.
import { element } from "./dom.js";
import { ImageGrid, type Greys } from "./image_grid.js";
import { LatentPlot } from "./latent_plot.js";
import { LossCurve } from "./loss_curve.js";
import { imagesOf, type Moment, type Recording } from "./recording.js";

export interface RecordedOptions {
  /** The folder of recorded.json, recorded.png and recorded.css; by default recorded/ next to the page. */
  readonly base?: URL;
}

/** Milliseconds for which each moment is shown. */
const PACE = 1100;
const COLUMNS = 4;

/**
 * Fills `root` with the recording and plays it. If the visitor prefers reduced motion, it shows the end and plays on
 * request. If it cannot be loaded, `root` says so. Returns a function that stops it.
 */
export async function showRecorded(root: HTMLElement, options: RecordedOptions = {}): Promise<() => void> {
  const base = options.base ?? new URL("recorded/", document.baseURI);
  root.classList.add("recorded");
  try {
    const [recording, values] = await Promise.all([
      fetched(new URL("recorded.json", base)).then((response) => response.json() as Promise<Recording>),
      fetched(new URL("recorded.png", base)).then(greyValues),
      styled(new URL("recorded.css", base)),
    ]);
    return new Player(root, recording, values).dispose;
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    root.replaceChildren(element("p", {}, `The recorded run could not be loaded: ${why}`));
    return () => undefined;
  }
}

async function fetched(url: URL): Promise<Response> {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url.pathname}: status ${response.status}.`);
  return response;
}

async function greyValues(response: Response): Promise<Uint8Array> {
  // Decodes it whatever content type the server sent.
  const bitmap = await createImageBitmap(new Blob([await response.arrayBuffer()], { type: "image/png" }));
  const context = new OffscreenCanvas(bitmap.width, bitmap.height).getContext("2d", { willReadFrequently: true })!;
  context.drawImage(bitmap, 0, 0);
  const { data } = context.getImageData(0, 0, bitmap.width, bitmap.height);
  return Uint8Array.from({ length: data.length / 4 }, (_, i) => data[4 * i]!);
}

/** Once for all recordings on a page. Without its style the recording is plain, but complete. */
function styled(url: URL): Promise<void> {
  if (document.querySelector(`link[href="${url.href}"]`)) return Promise.resolve();
  const link = element("link", { rel: "stylesheet", href: url.href });
  return new Promise((done) => {
    link.onload = link.onerror = () => done();
    document.head.append(link);
  });
}

class Player {
  readonly #calm = matchMedia("(prefers-reduced-motion: reduce)");
  readonly #dark = matchMedia("(prefers-color-scheme: dark)");
  readonly #play = element("button", { type: "button" });
  readonly #scrubber: HTMLInputElement;
  readonly #position = element("span", { class: "recorded-position" });
  readonly #samples: ImageGrid;
  readonly #pairs: ImageGrid;
  readonly #manifold: ImageGrid;
  readonly #curve: LossCurve;
  readonly #latents: LatentPlot;
  readonly #resized = new ResizeObserver(() => this.#redraw());
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    root: HTMLElement,
    private readonly recording: Recording,
    values: Uint8Array,
  ) {
    const { sheet, moments } = recording;
    const greys: Greys = { values, side: sheet.side, columns: sheet.columns };
    this.#samples = new ImageGrid(greys, COLUMNS, sheet.samples / COLUMNS);
    this.#pairs = new ImageGrid(greys, sheet.pairs, 2);
    this.#manifold = new ImageGrid(greys, sheet.manifoldColumns, sheet.manifoldColumns, 0);
    this.#curve = new LossCurve(recording);
    this.#latents = new LatentPlot(recording);
    const last = moments.length - 1;
    this.#scrubber = element("input", { type: "range", min: "0", max: `${last}`, "aria-label": "Moment of the run" });
    root.replaceChildren(
      notice(recording),
      element("div", { class: "recorded-controls" }, this.#play, this.#scrubber, this.#position),
      element(
        "div",
        { class: "recorded-panels" },
        panel("samples", "Samples", "The same random latents, decoded throughout training.", this.#samples.canvas),
        panel(
          "latents",
          "Latent space",
          `${recording.labels.length} test digits, each placed where the encoder maps it.`,
          this.#latents.svg,
        ),
        panel("loss", "Loss", lossCaption(), this.#curve.svg),
        panel(
          "pairs",
          "Reconstructions",
          "Test digits, and below each its reconstruction from two numbers.",
          this.#pairs.canvas,
        ),
        panel(
          "manifold",
          "Manifold",
          "After the last epoch: what the decoder draws at each point of the latent space.",
          this.#manifold.canvas,
        ),
      ),
    );
    this.#play.addEventListener("click", () => (this.#timer === undefined ? this.#start() : this.#pause()));
    this.#scrubber.addEventListener("input", () => {
      this.#pause();
      this.#show();
    });
    this.#calm.addEventListener("change", this.#onCalm);
    this.#dark.addEventListener("change", this.#redraw);
    this.#resized.observe(root);
    const manifold = imagesOf(sheet, 0).manifold;
    const described = `${sheet.manifoldColumns} by ${sheet.manifoldColumns} digits that blend into each other, decoded from the quantiles of both latents`;
    this.#manifold.show(manifold, described);
    this.#scrubber.value = String(this.#calm.matches ? last : 0);
    if (this.#calm.matches) this.#pause();
    else this.#start();
    this.#show();
  }

  readonly dispose = (): void => {
    this.#pause();
    this.#calm.removeEventListener("change", this.#onCalm);
    this.#dark.removeEventListener("change", this.#redraw);
    this.#resized.disconnect();
  };

  readonly #redraw = (): void => {
    for (const grid of [this.#samples, this.#pairs, this.#manifold]) grid.draw();
  };

  readonly #onCalm = (): void => {
    if (this.#calm.matches) this.#pause();
  };

  get #atEnd(): boolean {
    return this.#scrubber.value === this.#scrubber.max;
  }

  #start(): void {
    if (this.#atEnd) {
      this.#scrubber.value = "0";
      this.#show();
    }
    this.#play.textContent = "Pause";
    this.#timer = setTimeout(() => this.#next(), PACE);
  }

  #next(): void {
    this.#scrubber.valueAsNumber++;
    this.#show();
    if (this.#atEnd) this.#pause();
    else this.#timer = setTimeout(() => this.#next(), PACE);
  }

  #pause(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#play.textContent = this.#atEnd ? "Play again" : "Play";
  }

  #show(): void {
    const { recording } = this;
    const index = this.#scrubber.valueAsNumber;
    const moment = recording.moments[index]!;
    const when = whenIs(moment, recording);
    this.#position.textContent = `${when}, step ${moment.step.toLocaleString("en")}, after ${duration(moment.seconds)}`;
    this.#scrubber.setAttribute("aria-valuetext", when);
    if (this.#timer === undefined) this.#play.textContent = this.#atEnd ? "Play again" : "Play";
    const { originals, samples, reconstructions } = imagesOf(recording.sheet, index);
    this.#samples.show(samples, `${samples.length} images decoded from random latents. ${when}.`);
    this.#pairs.show(
      [...originals, ...reconstructions],
      `${originals.length} test digits, with the reconstruction below each. ${when}.`,
    );
    this.#latents.show(index, `${recording.labels.length} test digits in the two latent dimensions. ${when}.`);
    this.#curve.show(moment.epoch);
  }
}

function notice(recording: Recording): Node {
  const { date, adapter, software, busy, seconds, epochs, train, model, parameters, batchSize } = recording;
  const day = new Date(`${date}T00:00:00Z`).toLocaleDateString("en", { dateStyle: "long", timeZone: "UTC" });
  const passes = `${epochs} ${epochs === 1 ? "pass" : "passes"} over ${train.toLocaleString("en")} generated digits`;
  const facts = [
    `Made with webvae on ${day} on the adapter ${adapter}${software ? ", which is software on a processor, not a GPU" : ""}:`,
    `${passes} in ${duration(seconds)}${busy ? ", while the machine was also doing other work" : ""}, in batches of ${batchSize}.`,
    `Model: ${model}, ${parameters.toLocaleString("en")} parameters.`,
  ];
  return element(
    "p",
    { class: "recorded-notice" },
    element("strong", {}, "This is a recording: nothing is being trained on this page."),
    ` ${facts.join(" ")}`,
  );
}

function panel(kind: string, title: string, caption: string | Node, picture: Element): HTMLElement {
  return element(
    "section",
    { class: `recorded-${kind}` },
    element("h3", {}, title),
    element("p", { class: "recorded-caption" }, caption),
    picture,
  );
}

function lossCaption(): Node {
  return element(
    "span",
    {},
    "−ELBO in nats per digit over epochs: ",
    element("span", { class: "key train" }, "training"),
    " and ",
    element("span", { class: "key test" }, "test"),
    ".",
  );
}

/** "Before training" or "Epoch 2.4 of 12: loss 171.3 nats". */
function whenIs({ epoch, step }: Moment, { epochs, losses }: Recording): string {
  if (step === 0) return "Before training";
  const [, loss] = losses.train.reduce((a, b) => (Math.abs(b[0] - epoch) < Math.abs(a[0] - epoch) ? b : a));
  return `Epoch ${Number(epoch.toFixed(1))} of ${epochs}: loss ${loss.toFixed(1)} nats`;
}

function duration(seconds: number): string {
  if (seconds < 90) return `${Math.round(seconds)} s`;
  return `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`;
}
