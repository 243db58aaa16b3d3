import type { GeneralName } from './general-name.ts';
import { escapeInvisible, formatName } from './name-text.ts';

const labels = { dns: 'DNS', email: 'email', uri: 'URI', ip: 'IP', registeredId: 'RID' } as const;

/** A general name as OpenSSL's `subjectAltName` lists spell it. For people and logs: never parsed again. */
export function formatGeneralName(name: GeneralName): string {
  switch (name.kind) {
    case 'directoryName':
      return `dirName:${formatName(name.value)}`;
    case 'otherName':
      return `otherName:${name.type};${name.value}`;
    case 'other':
      return `[${name.tag}]:${name.value}`;
    default:
      return `${labels[name.kind]}:${escapeInvisible(name.value)}`;
  }
}
