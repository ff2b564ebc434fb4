// Imports that fail for want of a network, and can be tried again.

/**
 * `load`, an import() of one module, as a function that may be called until it succeeds. A browser remembers by a module's
 * address that it could not be fetched, and asks for it no more while the page is open. So the module is asked for under
 * another address then, with a query that no try before it had: once at once, and once in each later call. Where an import
 * map says what is to come from an address (`integrity`), none but that is asked. Rejects with what import() rejects with.
 */
export function reimporting<Module>(load: () => Promise<Module>): () => Promise<Module> {
  let tries = 0;
  let next = load;
  return async function module(): Promise<Module> {
    const tried = next;
    try {
      return await tried();
    } catch (error) {
      // So say Chrome and Firefox; whoever says nothing of the kind is asked as before.
      const [, address] = /imported module: (\S+)/.exec(String(error)) ?? [];
      if (!address || checked()) throw error;
      // Of two calls at the same time one changes it.
      if (next === tried) {
        const url = new URL(address);
        url.searchParams.set("again", String(++tries));
        next = () => import(/* webpackIgnore: true */ /* @vite-ignore */ url.href) as Promise<Module>;
      }
      if (tried === load) return module();
      throw error;
    }
  };
}

/** Whether the page has said what is to come from which address. Workers have no such map. */
const checked = () =>
  [...((globalThis as { document?: Document }).document?.querySelectorAll("script[type=importmap]") ?? [])].some(
    (map) => map.textContent.includes('"integrity"'),
  );
