// The settings that start a new model: data, architecture, sizes. They wait for the button if a trained model would be
// lost, and apply at once otherwise.
import { defaults, numberFault, type ModelKind, type NumberName, type Settings } from "../settings.js";
import { specText } from "../spec_text.js";
import type { Opened } from "../protocol.js";
import { find, say } from "./dom.js";
import { SpecEditor } from "./spec_editor.js";

const fields = ["latent", "batch", "seed", "epochs"] as const satisfies readonly NumberName[];
const titles = { latent: "Latents", batch: "Batch", seed: "Seed", epochs: "Epochs" };

export interface Wishes {
  /** Starts a model with these settings; `files` if the visitor's own data was chosen. */
  readonly begin: (settings: Settings, files: readonly File[]) => Promise<void>;
  readonly goal: (epochs: number) => void;
  readonly check: (settings: Settings) => Promise<string | undefined>;
  /** The values that can be changed while the model trains. */
  readonly live: () => Pick<Settings, "learningRate" | "beta" | "noise">;
}

export class SettingsForm {
  readonly #editor: SpecEditor;
  readonly #data = find<HTMLSelectElement>("data");
  readonly #apply = find<HTMLButtonElement>("apply");
  #current: Settings = defaults;
  #opened: Opened | undefined;
  #files: readonly File[] = [];
  #trained = false;
  #asked = 0;

  constructor(private readonly wishes: Wishes) {
    this.#editor = new SpecEditor(
      (spec) => wishes.check({ ...this.#current, model: "custom", spec }),
      () => this.#changed(false),
    );
    find<HTMLFormElement>("settings").addEventListener("submit", (event) => {
      event.preventDefault();
      void this.begin();
    });
    this.#data.addEventListener("change", () => {
      if (this.#data.value === "files") this.chooseFiles();
      else this.#changed(true);
    });
    const own = find<HTMLInputElement>("files");
    own.addEventListener("change", () => {
      if (own.files?.length) void this.useFiles([...own.files]);
      own.value = "";
    });
    own.addEventListener("cancel", () => this.#restoreData());
    for (const radio of this.#radios) {
      radio.addEventListener("change", () => {
        this.#showEditor();
        this.#changed(radio.value !== "custom");
      });
    }
    for (const name of fields) {
      find(name).addEventListener("input", () => this.#changed(false));
      find(name).addEventListener("change", () => this.#changed(true));
    }
  }

  /** The settings in use. */
  get settings(): Settings {
    return { ...this.#current, ...this.wishes.live() };
  }

  show(settings: Settings, opened?: Opened): void {
    this.#current = settings;
    this.#opened = opened ?? this.#opened;
    this.#files = [];
    this.#data.value = settings.data;
    for (const radio of this.#radios) radio.checked = radio.value === settings.model;
    for (const name of fields) find<HTMLInputElement>(name).value = String(settings[name]);
    if (opened) this.#editor.text = specText(opened.spec);
    else if (settings.model === "custom") this.#editor.text = settings.spec;
    this.#showEditor();
    this.#changed(false);
  }

  /** Until the model has been trained, a change loses nothing. */
  set trained(trained: boolean) {
    if (trained === this.#trained) return;
    this.#trained = trained;
    this.#changed(false);
  }

  chooseFiles(): void {
    find<HTMLInputElement>("files").click();
  }

  /** Starts with the visitor's own data at once, because it was chosen on purpose. */
  async useFiles(files: readonly File[]): Promise<void> {
    this.#files = files;
    this.#data.value = "files";
    await this.begin();
  }

  async begin(): Promise<void> {
    const wanted = this.#wanted();
    if (!wanted) return;
    if (wanted.model === "custom" && !(await this.#editor.validate())) return;
    this.#apply.disabled = true;
    const asked = ++this.#asked;
    const files = this.#files;
    this.#files = [];
    await this.wishes.begin(wanted, files);
    // Unless something else was requested meanwhile.
    if (asked !== this.#asked) return;
    this.#restoreData();
    this.#changed(false);
  }

  get #radios(): readonly HTMLInputElement[] {
    return [...document.querySelectorAll<HTMLInputElement>("input[name=model]")];
  }

  #restoreData(): void {
    this.#data.value = this.#current.data;
  }

  #showEditor(): void {
    const custom = this.#radios.find(({ checked }) => checked)?.value === "custom";
    find("editor").hidden = !custom;
    find<HTMLInputElement>("latent").disabled = custom;
    if (custom && this.#editor.text === "" && this.#opened) this.#editor.text = specText(this.#opened.spec);
  }

  #changed(settled: boolean): void {
    const wanted = this.#wanted();
    const goalOnly = wanted && !differs(this.#current, wanted);
    if (goalOnly && settled && wanted.epochs !== this.#current.epochs) {
      this.#current = { ...this.#current, epochs: wanted.epochs };
      this.wishes.goal(wanted.epochs);
    }
    const pending = wanted !== undefined && !goalOnly;
    this.#apply.disabled = !pending;
    say("apply-hint", pending && this.#trained ? "This starts a new model and discards the current one." : "");
    if (pending && settled && !this.#trained) void this.begin();
  }

  /** The settings in the fields if they are valid; shows what is not. */
  #wanted(): Settings | undefined {
    const numbers: Partial<Record<(typeof fields)[number], number>> = {};
    let fault = "";
    for (const name of fields) {
      const input = find<HTMLInputElement>(name);
      const wrong = input.disabled ? undefined : numberFault(name, input.value.trim());
      input.setAttribute("aria-invalid", String(wrong !== undefined));
      if (wrong) fault ||= `${titles[name]} ${wrong}`;
      else numbers[name] = Number(input.value);
    }
    say("settings-fault", fault);
    if (fault) return undefined;
    const model = (this.#radios.find(({ checked }) => checked)?.value ?? "mlp") as ModelKind;
    return {
      ...this.settings,
      ...numbers,
      data: this.#data.value as Settings["data"],
      model,
      spec: model === "custom" ? this.#editor.text : this.#current.spec,
    };
  }
}

/** Whether the change needs a new model. */
function differs(a: Settings, b: Settings): boolean {
  const keys = ["data", "model", "batch", "seed"] as const;
  if (keys.some((key) => a[key] !== b[key])) return true;
  return b.model === "custom" ? compact(a.spec) !== compact(b.spec) : a.latent !== b.latent;
}

const compact = (text: string) => text.replace(/\s+/g, "");
