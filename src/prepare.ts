// Loads the code that a model needs besides the core, the only asynchronous step before its graphs are built.
import { advised } from "./advice.js";
import { reading } from "./checks.js";
import { layerTypes, typeOf } from "./layers/index.js";
import { layersFile } from "./layers_file.js";
import { Life } from "./life.js";
import { loaded } from "./loaded.js";
import { further } from "./ops/index.js";
import { resolveSpec, type ModelSpec, type ResolvedSpec } from "./spec.js";

/** Milliseconds to wait for that code, where the caller gives none. */
const PATIENCE_MS = 30_000;

/**
 * The resolved spec, once the code of all its layers is loaded. `spec` is copied in the call. Rejects with INVALID_SPEC,
 * which suggests a fitting change if the code to find one can be loaded; DOWNLOAD_FAILED, after which a later call tries
 * again; TIMEOUT.
 */
export async function resolved(spec: ModelSpec, patienceMs = PATIENCE_MS): Promise<ResolvedSpec> {
  const own = copyOf(spec);
  const load = async () => {
    const file = loaded("the code that this model needs", "layers.js", layersFile);
    (await new Life().wait(file, "loading layers.js", patienceMs)).install();
  };
  if (!further && reading("INVALID_SPEC", "the model spec", () => needsMore(own))) await load();
  const made = await resolvedOrAdvised(own);
  // Only some changes of shape need nodes, and so more than the core has of them.
  if ([...made.encoder, ...made.decoder].some((layer) => !typeOf(layer).build)) await load();
  return made;
}

async function resolvedOrAdvised(spec: ModelSpec): Promise<ResolvedSpec> {
  try {
    return resolveSpec(spec);
  } catch {
    const better = (file: Awaited<ReturnType<typeof layersFile>>) => {
      file.install();
      return resolveSpec(spec, file.mismatch);
    };
    return (await advised(better)) ?? resolveSpec(spec);
  }
}

/** What cannot be copied is no spec either, and resolveSpec says so. */
function copyOf(spec: ModelSpec): ModelSpec {
  try {
    return structuredClone(spec);
  } catch {
    return spec;
  }
}

/** Whether a spec names what the core does not have. Whatever else is wrong with it, resolveSpec finds. */
function needsMore({ encoder, decoder, likelihood, prior, condition }: Partial<ModelSpec>): boolean {
  const types = [encoder, decoder].flatMap((layers): unknown[] => (Array.isArray(layers) ? (layers as unknown[]) : []));
  return (
    likelihood !== "bernoulli" ||
    (prior ?? condition) !== undefined ||
    types.some((layer) => !(String((layer as { type?: unknown } | null)?.type) in layerTypes))
  );
}
