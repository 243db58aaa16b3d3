import { equalBytes, type Extension, extensionOids } from '#x509';
import type { TbsCertificate } from './lint-rule.ts';

export type ExtensionName = keyof typeof extensionOids;

export function foundExtension(certificate: TbsCertificate, name: ExtensionName): Extension | undefined {
  return certificate.extensions.find(({ oid }) => oid === extensionOids[name]);
}

/** Words where the extension is absent or its criticality is not as the RFC says, else null. */
export function criticalityProblem(
  certificate: TbsCertificate,
  name: ExtensionName,
  critical: boolean,
): string | null {
  const found = foundExtension(certificate, name);
  if (found === undefined) return `${name} is absent`;
  return found.critical === critical ? null : `${name} is ${critical ? 'not critical' : 'critical'}`;
}

/** For extensions that are never critical and hold exactly what was planned. null: planned to be absent. */
export function plannedExtensionProblem(
  certificate: TbsCertificate,
  name: ExtensionName,
  planned: Uint8Array | null,
): string | null {
  const found = foundExtension(certificate, name);
  if (found === undefined) return planned === null ? null : `${name} is absent`;
  if (planned === null || !equalBytes(found.value, planned)) return `${name} is not the planned one`;
  return found.critical ? `${name} is critical` : null;
}

/** Same members, whatever their order, none twice. */
export function sameMembers(actual: readonly string[], expected: readonly string[]): boolean {
  return (
    actual.length === expected.length &&
    new Set(actual).size === actual.length &&
    expected.every((member) => actual.includes(member))
  );
}
