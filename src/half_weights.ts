// The copy of the weights in f16 that a run in half precision begins with; afterwards the optimizer keeps it.
import type { Device } from "./device.js";
import { Executable } from "./executable.js";
import { flats, type Model } from "./parameters.js";
import { plan } from "./plan.js";
import { HALF_WEIGHTS } from "./tensor.js";
import { storeWeights } from "./ops/adam.js";
import { halfWeights } from "./vae.js";

interface Parts {
  readonly device: Device;
  readonly model: Model;
  /** The weights, by the names that plans of inference use. */
  readonly buffers: { readonly inference: Readonly<Record<string, GPUBuffer>> };
}

/** Copies the weights in f16 to where the plan of `executable` reads them. */
export async function halveWeights({ device, model, buffers }: Parts, executable: Executable): Promise<void> {
  const planned = plan(
    { nodes: [storeWeights(model.params, halfWeights(model))] },
    { flats: flats(model), half: true },
  );
  const { buffer } = executable.locate(HALF_WEIGHTS);
  const once = await Executable.create(device, planned, { ...buffers.inference, [HALF_WEIGHTS]: buffer });
  device.submit("halve", (encoder) => {
    const pass = encoder.beginComputePass();
    once.encode(pass, 0);
    pass.end();
  });
  once.dispose();
}
