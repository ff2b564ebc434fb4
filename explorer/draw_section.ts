// Draw a digit or pick an example: shows its reconstruction, where it lies, and how typical it is.
import { button, element, shown } from "./dom.js";
import { InkPad } from "./ink_pad.js";
import { Latest } from "./latest.js";
import { neighbourhood } from "./neighbours.js";
import { PadGround } from "./pad_ground.js";
import { pictureShape } from "./shapes.js";
import { strokesToImage, type Stroke } from "./strokes.js";
import { judge } from "./usual.js";
import { UsualChart } from "./usual_chart.js";
import { viewOf, type Scene, type Section, type View } from "./view.js";

/** The number of examples that a drawing is compared with. */
const COMPARED = 256;

export class DrawSection implements Section {
  readonly name: string;
  readonly element: HTMLElement;
  readonly #ink: InkPad | undefined;
  readonly #seen: View;
  readonly #made: View;
  readonly #ground: PadGround | undefined;
  readonly #chart = new UsualChart();
  readonly #verdict = element("p", { part: "verdict" });
  readonly #words = element("p", { class: "hint" });
  readonly #place = element("p", { class: "hint" });
  readonly #results = element("div", { class: "results" });
  readonly #visit = button("Explore from here", () => this.#mean && this.scene.visit(this.#mean.slice()));
  readonly #latest = new Latest();
  #image: Float32Array | undefined;
  #mean: Float32Array | undefined;
  #losses: readonly number[] | undefined;
  #example = 0;
  #source = "";

  constructor(private readonly scene: Scene) {
    const { space, theme } = scene;
    const [height, width, channels] = pictureShape(space.model.spec);
    // A sheet, if the examples can be drawn with one pen.
    const drawable = channels === 1 && height >= 8 && width >= 8;
    this.name = drawable ? "Draw" : "Try";
    this.#seen = viewOf(scene, "What the model sees");
    this.#made = viewOf(scene, "The model's reconstruction");
    const buttons = element("div", { class: "buttons" });
    if (drawable) {
      this.#ink = new InkPad(theme, (strokes) => this.#onStrokes(strokes, [height, width]));
      buttons.append(
        button("Clear", () => this.#ink?.clear()),
        button("Undo", () => this.#ink?.undo()),
      );
    }
    const another = this.#ink ? "Try an example" : "Another example";
    if (space.imageCount > 0) buttons.append(button(another, () => this.#takeExample()));
    const sheet = element("div", { class: "sheet" }, ...(this.#ink ? [this.#ink.element] : []), buttons);
    const tile = (view: View, text: string) => element("figure", {}, view.element, element("figcaption", {}, text));
    const pictures = element(
      "div",
      { class: "pair" },
      tile(this.#seen, "What the model sees"),
      tile(this.#made, "Its reconstruction"),
    );
    const judged = element("div", { class: "judged" }, this.#verdict, this.#chart.element, this.#words);
    const told = element("div", { class: "told" }, pictures, judged, element("div", { class: "buttons" }, this.#visit));
    this.#results.append(told);
    if (space.latent > 1) {
      this.#ground = new PadGround(space, theme);
      this.#results.append(
        element("div", { class: "place" }, element("div", { class: "small-pad" }, this.#ground.element), this.#place),
      );
    }
    this.element = element("div", { class: drawable ? "draw" : "draw sheetless" }, sheet, this.#results);
    this.#empty();
  }

  /** The state while nothing is drawn. */
  #empty(): void {
    this.#image = undefined;
    this.#mean = undefined;
    this.#results.classList.add("waiting");
    this.#visit.disabled = true;
    this.#verdict.textContent = this.#ink ? "Draw something" : "Pick an example";
    this.#words.textContent = this.#ink
      ? "It will be centred and scaled like the examples, encoded, and decoded again."
      : "It will be encoded and decoded again.";
    this.#place.textContent = "";
    this.#chart.element.replaceChildren();
    this.#ground?.mark(undefined);
    const blank = new Float32Array(pictureShape(this.scene.space.model.spec).reduce((all, n) => all * n, 1));
    void this.#seen.show(blank);
    void this.#made.show(blank);
  }

  #onStrokes(strokes: readonly Stroke[], size: readonly [number, number]): void {
    if (strokes.length === 0) return this.#empty();
    this.#source = "Your drawing";
    this.#try(strokesToImage(strokes, size, 1));
  }

  #takeExample(): void {
    const { space } = this.scene;
    // A step that shares no divisor with most counts visits all examples.
    this.#example = (this.#example + 7919) % space.imageCount;
    const label = space.options.imageLabels?.[this.#example];
    this.#ink?.clear();
    this.#source = label === undefined ? "The example" : `The example of ${space.nameOf(label)}`;
    this.#try(space.image(this.#example).slice());
  }

  show(): void {
    // New weights give new judgements.
    this.#losses = undefined;
    if (this.#image) this.#try(this.#image);
    else if (!this.#ink && this.scene.space.imageCount > 0) this.#takeExample();
  }

  #try(image: Float32Array): void {
    this.#image = image;
    this.#results.classList.remove("waiting");
    void this.#seen.show(image);
    this.#latest.run(() => this.#judge(image)).catch(this.scene.fail);
  }

  async #judge(image: Float32Array): Promise<void> {
    const { space } = this.scene;
    const { model } = space;
    const { mean } = await model.encode(image);
    if (this.#image !== image) return;
    this.#mean = mean;
    this.#visit.disabled = false;
    await this.#made.decode(mean);
    if (this.#image !== image) return;
    this.#ground?.mark(space.plane.project(mean));
    this.#sayPlace(mean);
    const [elbo = NaN] = await model.elbo(image);
    if (space.images) this.#losses ??= (await model.elbo(this.#compared())).map((value) => -value);
    if (this.#image !== image) return;
    this.#sayJudgement(-elbo);
  }

  #compared(): Float32Array {
    const { space } = this.scene;
    const size = space.images!.length / space.imageCount;
    return space.images!.subarray(0, size * Math.min(COMPARED, space.imageCount));
  }

  #sayPlace(mean: Float32Array): void {
    const { points, nameOf } = this.scene.space;
    const around = points?.labels && neighbourhood(mean, points.mean, points.labels);
    this.#place.textContent = around
      ? `${around.count} of the ${around.of} nearest examples are labelled ${nameOf(around.label)}.`
      : "Its position among the examples.";
  }

  #sayJudgement(loss: number): void {
    const nats = `${shown(loss, 1)} nats`;
    if (this.#losses) {
      const { words, sentence } = judge(loss, this.#losses);
      this.#verdict.textContent = `${words[0]!.toUpperCase()}${words.slice(1)}`;
      this.#words.textContent = `−ELBO: ${nats}. ${sentence}`;
      this.#chart.show(loss, this.#losses);
    } else {
      this.#verdict.textContent = nats;
      this.#words.textContent = "−ELBO. There are no examples to compare it with.";
    }
    this.scene.announcer.say(`${this.#source}: ${this.#verdict.textContent}. ${this.#place.textContent}`);
  }

  dispose(): void {
    this.#ink?.dispose();
    this.#ground?.dispose();
    this.#seen.dispose();
    this.#made.dispose();
  }
}
