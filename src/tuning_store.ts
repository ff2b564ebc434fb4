// Stores the tuner's measurements in a page's IndexedDB. Any problem with it (storage denied, a private window, a full
// disk) rejects, and the tuner then continues without it.
import type { Schedule } from "./ops/op.js";

/**
 * Keeps measured choices between runs. `adapter` identifies the adapter, its capabilities and the version of the
 * kernels; a choice's key names a product and its sizes. If a store fails, hangs or contains something else, the only
 * cost is measuring again.
 */
export interface TuningStore {
  /** The choices measured on that adapter, or undefined. */
  load(adapter: string): Promise<Readonly<Record<string, Schedule>> | undefined>;
  /** Called with all choices of an adapter after more were measured. */
  save(adapter: string, choices: Readonly<Record<string, Schedule>>): Promise<void>;
}

const STORE = "tuning";

/** The page's own store, if IndexedDB exists. */
export function pageStore(): TuningStore | undefined {
  if (!("indexedDB" in globalThis)) return undefined;
  return {
    load: (adapter) => transact("readonly", (store) => store.get(adapter) as IDBRequest<Record<string, Schedule>>),
    save: async (adapter, choices) => void (await transact("readwrite", (store) => store.put(choices, adapter))),
  };
}

async function transact<T>(mode: IDBTransactionMode, use: (store: IDBObjectStore) => IDBRequest<T>): Promise<T> {
  const opening = indexedDB.open("webvae", 1);
  opening.onupgradeneeded = () => void opening.result.createObjectStore(STORE);
  const database = await resultOf(opening);
  const result = resultOf(use(database.transaction(STORE, mode).objectStore(STORE)));
  // Closes once the transaction is done.
  database.close();
  return result;
}

function resultOf<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error!);
  });
}
