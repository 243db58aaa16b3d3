import type { GeneralName } from '#x509';

/** What templates build. */
export type AlternativeName = Extract<GeneralName, { readonly kind: 'dns' | 'email' | 'uri' | 'ip' }>;

export function isAlternativeName(name: GeneralName): name is AlternativeName {
  return ['dns', 'email', 'uri', 'ip'].includes(name.kind);
}

/**
 * The names that a client is told to ask for: all, or none where it cannot write one of them. A renewal that names some is refused, and one that names none keeps
 * what there is; the certificate has them either way.
 */
export function toldNames(
  names: readonly AlternativeName[],
  canWrite: (name: AlternativeName) => boolean,
): readonly AlternativeName[] {
  return names.every(canWrite) ? names : [];
}
