// What a VAE binds to the GPU as one of its calls runs: taken at Executable.create, so that no program repeats which
// graph, batch and schedules a call has.
import { Executable } from "../../src/executable.js";
import type { Plan } from "../../src/plan.js";

type Create = typeof Executable.create;

/** Runs `call` while `create` is what Executable.create does; it gets the usual one. */
async function withCreate<T>(create: (usual: Create) => Create, call: () => Promise<T>): Promise<T> {
  const usual = Executable.create.bind(Executable);
  Executable.create = create(usual);
  try {
    return await call();
  } finally {
    Executable.create = usual;
  }
}

class Planned extends Error {
  constructor(readonly plan: Plan) {
    super("planned");
  }
}

/** The plan that `call` would bind first. Nothing is compiled or run. */
export async function planOf(call: () => Promise<unknown>): Promise<Plan> {
  try {
    await withCreate(
      () =>
        (_, { plan }) =>
          Promise.reject(new Planned(plan)),
      call,
    );
  } catch (error) {
    if (error instanceof Planned) return error.plan;
    throw error;
  }
  throw new Error("the call bound no plan");
}

/** What `call` returns, and what it bound first of the plans with at least `dispatches` dispatches. */
export async function boundBy<T>(call: () => Promise<T>, dispatches: number): Promise<[T, Executable]> {
  let first: Executable | undefined;
  const keep =
    (usual: Create): Create =>
    async (...given) => {
      const executable = await usual(...given);
      if (executable.plan.dispatches.length >= dispatches) first ??= executable;
      return executable;
    };
  const result = await withCreate(keep, call);
  if (!first) throw new Error("the call bound no plan");
  return [result, first];
}
