import { type GeneralName, generalNameKey } from '#x509';
import { canonicalRequestedName, isSidUri } from './alternative-name.ts';
import { mention, type RequestObjections } from './request-objections.ts';

/** Each name asked for is among those that the certificate will have. SID URIs are an objection of their own. */
export function compareSubjectAltName(
  built: readonly GeneralName[],
  requested: readonly GeneralName[],
): Partial<RequestObjections> {
  const known = new Set(built.map(nameKey));
  const strange = requested.filter((name) => {
    const key = nameKey(name);
    return key === null || !known.has(key);
  });
  const others = strange.filter((name) => !isSidUri(name)).map(({ kind }) => kind);
  return {
    subjectAltName:
      others.length === 0
        ? null
        : `asks for a name (${mention(others)}) that the template neither builds nor admits`,
    noSid: strange.some(isSidUri)
      ? 'asks for a Microsoft SID in a URI that the template does not build'
      : null,
  };
}

function nameKey(name: GeneralName): string | null {
  const canonical = canonicalRequestedName(name);
  return canonical === null ? null : generalNameKey(canonical);
}
