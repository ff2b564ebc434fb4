// Dynamic imports that can be tried again after a network failure.

/**
 * Wraps `load`, an import() of one module, in a function that may be called until it succeeds. A browser remembers the
 * address of a module that it could not fetch, and never requests it again while the page is open. So after a failure
 * the module is requested under another address, with a new query each time: once right away, and once in each later
 * call. If an import map lists hashes by address (`integrity`), no other addresses are tried. Rejects like import().
 */
export function reimporting<Module>(load: () => Promise<Module>): () => Promise<Module> {
  let tries = 0;
  let next = load;
  return async function module(): Promise<Module> {
    const tried = next;
    try {
      return await tried();
    } catch (error) {
      // Chrome and Firefox name the address like this. In other browsers the same address is imported again.
      const [, address] = /imported module: (\S+)/.exec(String(error)) ?? [];
      if (!address || checked()) throw error;
      // Only one of several concurrent calls changes it.
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

/** Whether the page has an import map with hashes. Workers have no import maps. */
const checked = () =>
  [...((globalThis as { document?: Document }).document?.querySelectorAll("script[type=importmap]") ?? [])].some(
    (map) => map.textContent.includes('"integrity"'),
  );
