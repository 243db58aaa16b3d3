/**
 * The same value with bytes that own their buffer. A message between threads carries the whole buffer of a view: for a small Buffer
 * that is Node's pool, a hundred times larger and full of other requests' bytes.
 */
export function withOwnBuffers(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof Uint8Array) {
    return value.byteLength === value.buffer.byteLength ? value : new Uint8Array(value);
  }
  if (Array.isArray(value)) return value.map(withOwnBuffers);
  let copy: Record<string, unknown> | undefined;
  for (const [name, member] of Object.entries(value)) {
    const own = withOwnBuffers(member);
    if (own === member) continue;
    copy ??= { ...value };
    copy[name] = own;
  }
  return copy ?? value;
}
