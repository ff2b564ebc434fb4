// Nonsensical values that a caller may pass nevertheless.

const refuse = (): never => {
  throw new Error("it does not want to be looked at");
};
const looked = Object.fromEntries(
  Object.getOwnPropertyNames(Reflect).map((trap) => [trap, refuse]),
) as ProxyHandler<object>;

/** A promise that rejects, which is the caller's own business. */
function rejecting(): Promise<never> {
  const promise = Promise.reject(new Error("a promise that was given as an option"));
  promise.catch(() => {});
  return promise;
}

function revoked(): object {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
}

function circular(): object {
  const it: Record<string, unknown> = {};
  it.it = it;
  return it;
}

/** Each function makes a new value. */
export const wildValues: Readonly<Record<string, () => unknown>> = {
  null: () => null,
  NaN: () => NaN,
  "-1": () => -1,
  "0.5": () => 0.5,
  "1e9": () => 1e9,
  "2 to the 53rd": () => 2 ** 53,
  Infinity: () => Infinity,
  "10n": () => 10n,
  '"64"': () => "64",
  "an empty text": () => "",
  "a long text": () => "x".repeat(1e6),
  true: () => true,
  "a symbol": () => Symbol("wild"),
  "{}": () => ({}),
  "[]": () => [],
  "an array of nothing": () => [null, undefined, {}],
  "a sparse array": () => new Array<number>(1e6),
  "Object.create(null)": () => Object.create(null) as object,
  "what holds itself": circular,
  "a Date": () => new Date(0),
  "an invalid Date": () => new Date(NaN),
  "a RegExp": () => /x/,
  "a Map": () => new Map([["epochs", 1]]),
  "a function": () => () => undefined,
  "a function that throws a text": () => () => {
    throw new TypeError("a schedule of the caller threw");
  },
  "a function of a rejecting promise": () => () => Promise.reject(new Error("a schedule's promise")),
  "a function of a promise": () => () => Promise.resolve(1),
  "a class": () => class Wild {},
  "a rejecting promise": rejecting,
  "a promise that never settles": () => new Promise(() => {}),
  "what throws when it is looked at": () => new Proxy({}, looked),
  "a function that throws when it is looked at": () => new Proxy(() => 1, looked),
  "an array that throws when it is looked at": () => new Proxy([], looked),
  "a revoked proxy": revoked,
  "what throws as a text": () => ({ toString: refuse, valueOf: refuse, toJSON: refuse, [Symbol.toPrimitive]: refuse }),
  "a getter that throws": () => Object.defineProperty({}, "size", { get: refuse, enumerable: true }),
  "a size and a usage": () => ({ size: 2 ** 20, usage: 0xff }),
  "a buffer of none": () => ({ buffer: { size: 2 ** 20, usage: 0xff }, count: 2 }),
  "a Uint8Array": () => new Uint8Array(3),
  "an empty Float32Array": () => new Float32Array(),
  "a BigInt64Array": () => new BigInt64Array(6),
  "an ArrayBuffer": () => new ArrayBuffer(8),
  "a SharedArrayBuffer": () => new SharedArrayBuffer(8),
  "a detached Float32Array": () => {
    const values = new Float32Array(6);
    structuredClone(values.buffer, { transfer: [values.buffer] });
    return values;
  },
};
