// Work that is done only once.

/** The value made for `key` by the first call; if that failed, it is made again. */
export function once<K, V>(map: Map<K, Promise<V>>, key: K, make: () => Promise<V>): Promise<V> {
  let made = map.get(key);
  if (!made) {
    made = make();
    map.set(key, made);
    made.catch(() => map.delete(key));
  }
  return made;
}
