import { type Certificate, attributeTypeOid, equalBytes, findExtension, formatName, sameName } from '#x509';
import { EvidenceRefused } from '../evidence-refused.ts';
import type { EvidenceFault } from '../examination.ts';
import { isIssuedBy } from '../issued-by.ts';
import type { AndroidClaims, SecurityLevel } from './claims.ts';

export const keyDescriptionOid = '1.3.6.1.4.1.11129.2.1.17';

/** With their root: target, attestation key, intermediate, root; remotely provisioned, one more of Google's servers. */
const factoryLength = 4;
const remoteLength = 5;

/**
 * The shape of a chain, as Google's verifier (android/keyattestation, 2026) asks for it: with its root, and with a KeyDescription in the target alone.
 * A key of the device that may sign can be made to sign a certificate with a KeyDescription of anybody's making, and the genuine chain, KeyDescription
 * included, is then above it. Gives the KeyDescription.
 */
export function keyDescriptionOf(chain: readonly Certificate[]): Uint8Array {
  const root = chain.at(-1);
  if (chain.length < 3 || root === undefined || !equalBytes(root.issuerDer, root.subjectDer)) {
    throw new EvidenceRefused('android-chain', 'not a chain of three or more that ends with its root');
  }
  const [target, ...above] = chain.map(({ extensions }) => findExtension(extensions, keyDescriptionOid));
  if (target === undefined || target === null || above.some((each) => each !== null)) {
    throw new EvidenceRefused(
      'android-extension',
      'the KeyDescription has to be in the first certificate alone',
    );
  }
  return target;
}

/** By the names that Google's CAs give: they are as good as the path to the root, which is asked for when the evidence is appraised. */
export function provisioningOf(chain: readonly Certificate[]): AndroidClaims['provisioning'] {
  const highest = chain.at(-2);
  if (highest === undefined) return null;
  if (attribute(highest, 'serialNumber') !== null) return chain.length === factoryLength ? 'factory' : null;
  const isGoogles =
    attribute(highest, 'commonName') === 'Droid CA2' &&
    attribute(highest, 'organizationName') === 'Google LLC';
  return isGoogles && chain.length === remoteLength ? 'remote' : null;
}

/** Remotely provisioned, each attestation key is certified for its level. Of the factory, those of a StrongBox have always said so. */
export function chainSecurityLevelOf(
  chain: readonly Certificate[],
  provisioning: AndroidClaims['provisioning'],
): SecurityLevel | null {
  const [, attestation, ...above] = chain;
  if (attestation === undefined || provisioning === null) return null;
  if (provisioning === 'factory') {
    const names = [attestation, ...above.slice(0, -1)].map(({ subject }) => formatName(subject));
    return names.some((name) => /strongbox/i.test(name)) ? 'strongbox' : null;
  }
  const organization = attribute(attestation, 'organizationName');
  if (organization === 'StrongBox') return 'strongbox';
  return organization === 'TEE' ? 'tee' : 'software';
}

/**
 * The chain from its target up to one of the roots. The root that was sent stands for one of the same name and key, for devices go on sending the
 * certificate of 2016, which ended in May 2026. No certificate below has to be a CA's: attestation keys of 2018 (Sony Xperia 10 III) say cA FALSE.
 * Names, and signatures from the top down, so that a forged chain costs one.
 */
export function findAndroidPath(
  chain: readonly Certificate[],
  roots: readonly Certificate[],
): readonly Certificate[] | null {
  const sent = chain.at(-1);
  const root = roots.find(
    (each) => sent !== undefined && sameName(each.subject, sent.subject) && equalBytes(each.spki, sent.spki),
  );
  if (root === undefined) return null;
  const path = [...chain.slice(0, -1), root];
  for (let at = path.length - 2; at >= 0; at -= 1) {
    if (!isIssuedBy(path[at]!, path[at + 1]!)) return null;
  }
  return path;
}

/**
 * The target's dates are the device's own clock, so nobody asks for them. Chains of the factory go on when they have ended, for nothing can take
 * their place; those remotely provisioned are renewed.
 */
export function androidValidity(
  path: readonly Certificate[],
  provisioning: AndroidClaims['provisioning'],
  time: number,
): readonly EvidenceFault[] {
  const between = path.slice(1, -1);
  const begun = between.every(({ notBefore }) => notBefore <= time);
  const ended = provisioning !== 'factory' && between.some(({ notAfter }) => notAfter < time);
  if (begun && !ended) return [];
  return [{ check: 'certificate-validity', detail: 'a certificate of the chain is not in date' }];
}

/** null: there is none, or more than one. */
function attribute({ subject }: Certificate, type: string): string | null {
  const oid = attributeTypeOid(type);
  const [found, another] = subject.flat().filter((each) => each.type === oid);
  return found === undefined || another !== undefined ? null : found.value;
}
