import { isSallyportError } from '#errors';
import type { GeneralName, OtherName } from './general-name.ts';
import { hardwareModuleNameOf, hardwareSerialNumberText } from './hardware-module-name.ts';
import { escapeInvisible, formatName } from './name-text.ts';
import { permanentIdentifierOf } from './permanent-identifier.ts';

const labels = { dns: 'DNS', email: 'email', uri: 'URI', ip: 'IP', registeredId: 'RID' } as const;

/** A general name as OpenSSL's `subjectAltName` lists spell it, and a device by its hardware as an ACME order does. For people and logs: never parsed again. */
export function formatGeneralName(name: GeneralName): string {
  switch (name.kind) {
    case 'directoryName':
      return `dirName:${formatName(name.value)}`;
    case 'otherName':
      return formatDevice(name) ?? `otherName:${name.type};${name.value}`;
    case 'other':
      return `[${name.tag}]:${name.value}`;
    default:
      return `${labels[name.kind]}:${escapeInvisible(name.value)}`;
  }
}

/** null: it is none, or none that can be read. */
function formatDevice(name: OtherName): string | null {
  try {
    const identifier = permanentIdentifierOf([name]);
    if (identifier !== null) {
      const assigner = identifier.assigner === null ? '' : `/${identifier.assigner}`;
      return `permanentIdentifier:${escapeInvisible(identifier.value).replaceAll('/', '\\/')}${assigner}`;
    }
    const module = hardwareModuleNameOf([name]);
    if (module === null) return null;
    return `hardwareModule:${hardwareSerialNumberText(module.serialNumber)}/${module.hardwareType}`;
  } catch (error) {
    if (!isSallyportError(error)) throw error;
    return null;
  }
}
