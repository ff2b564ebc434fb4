// Work that is done once.

/** What was made for `key` at the first call; where that failed it is made again. */
export function once<K, V>(map: Map<K, Promise<V>>, key: K, make: () => Promise<V>): Promise<V> {
  let made = map.get(key);
  if (!made) {
    made = make();
    map.set(key, made);
    made.catch(() => map.delete(key));
  }
  return made;
}
