const weak: ReadonlySet<string> = new Set(['sha1', 'des-ede3-cbc']);

/** Of a message: what devices may use that know nothing else, where a template names their class. */
export function isWeakAlgorithm(algorithm: string): boolean {
  return weak.has(algorithm);
}
