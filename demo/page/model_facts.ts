// Shows the current model on the page: its adapter, its data and its size.
import type { Opened } from "../protocol.js";
import { find, say, show } from "./dom.js";
import { count } from "./figures.js";

export function showModel({ adapter, data, spec, parameters }: Opened): void {
  say("adapter", adapter.name);
  find("adapter-line").className = `adapter ${adapter.software ? "software" : "found"}`;
  show("software", adapter.software);
  document.body.dataset["kind"] = data.kind;
  say("data-notes", data.notes.join(" "));
  const latents = count(spec.latent, "latent");
  say("facts", `${data.name}: examples of ${data.shape.join(" × ")}. ${count(parameters, "parameter")}, ${latents}.`);
}
