// Sliders for the values that can be changed while the model trains, each with its number next to it.
import { numberFault, type Live } from "../settings.js";
import { find } from "./dom.js";

interface Scale {
  readonly id: string;
  readonly name: keyof Live;
  /** Converts the slider's position to the value, and back. */
  readonly value: (position: number) => number;
  readonly position: (value: number) => number;
}

const plain = { value: (position: number) => position, position: (value: number) => value };
const scales: readonly Scale[] = [
  {
    id: "learning-rate",
    name: "learningRate",
    value: (position) => Number((10 ** position).toPrecision(2)),
    position: (value) => Math.log10(value),
  },
  { id: "beta", name: "beta", ...plain },
  { id: "noise", name: "noise", ...plain },
];

export class LiveControls {
  #values!: Live;

  constructor(
    values: Live,
    private readonly changed: (values: Live) => void,
  ) {
    for (const scale of scales) {
      const slider = find<HTMLInputElement>(scale.id);
      const number = find<HTMLInputElement>(`${scale.id}-number`);
      slider.addEventListener("input", () => this.#set(scale, scale.value(slider.valueAsNumber), slider));
      number.addEventListener("change", () => {
        const fault = numberFault(scale.name, number.value.trim());
        number.setAttribute("aria-invalid", String(fault !== undefined));
        number.title = fault ?? "";
        number.setCustomValidity(fault ?? "");
        if (fault) number.reportValidity();
        else this.#set(scale, Number(number.value), number);
      });
    }
    this.show(values);
  }

  get values(): Live {
    return this.#values;
  }

  /** Also accepts complete settings. */
  show({ learningRate, beta, noise }: Live): void {
    this.#values = { learningRate, beta, noise };
    for (const scale of scales) this.#write(scale);
  }

  #set(scale: Scale, value: number, from: HTMLInputElement): void {
    this.#values = { ...this.#values, [scale.name]: value };
    this.#write(scale, from);
    this.changed(this.#values);
  }

  /** Leaves a field alone while the visitor is editing it. */
  #write({ id, name, position }: Scale, from?: HTMLInputElement): void {
    const value = this.#values[name];
    const slider = find<HTMLInputElement>(id);
    const number = find<HTMLInputElement>(`${id}-number`);
    if (from !== slider) slider.value = String(position(value));
    slider.setAttribute("aria-valuetext", String(value));
    if (from === number) return;
    number.value = String(value);
    number.setAttribute("aria-invalid", "false");
    number.setCustomValidity("");
  }
}
