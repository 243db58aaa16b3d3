import { hash } from 'node:crypto';
import type { Certificate } from '#x509';
import type { AttestationStatement } from '../attestation-object.ts';
import { EvidenceRefused } from '../evidence-refused.ts';
import type { Nonce } from '../evidence.ts';
import type { EvidenceIdentities, ReadStatement } from '../examination.ts';
import { sameOctets } from '../same-octets.ts';
import { isSignedByAttestedKey } from '../statement-signature.ts';
import { chainSecurityLevelOf, keyDescriptionOf, provisioningOf } from './chain.ts';
import { type AuthorizationList, parseKeyDescription } from './key-description.ts';

/**
 * android-key: WebAuthn Level 3 section 8.4, of which device-attest-01 changes what is signed. The nonce is the attestationChallenge, so that a
 * statement may go without a signature of its own; one that is there verifies.
 */
export function readAndroidStatement(
  statement: AttestationStatement,
  certificates: readonly Certificate[],
): ReadStatement {
  statement.requireNames(['x5c', 'alg', 'sig']);
  const { attestationChallenge, hardwareEnforced, ...described } = parseKeyDescription(
    keyDescriptionOf(certificates),
  );
  const target = certificates[0]!;
  const { serial, imei, secondImei, meid, ...enforced } = hardwareEnforced;
  const provisioning = provisioningOf(certificates);
  return {
    content: {
      spki: hash('sha256', target.spki),
      identities: identitiesOf({ serial, imei, secondImei, meid }),
      claims: {
        format: 'android-key',
        ...described,
        chainSecurityLevel: chainSecurityLevelOf(certificates, provisioning),
        provisioning,
        ...enforced,
      },
    },
    isFresh(nonce) {
      if (!isChallenge(attestationChallenge, nonce)) return false;
      requireSignature(statement, target, nonce);
      return true;
    },
  };
}

/** Or its hash: KeyMint takes 128 octets at most, and a key authorization may have more. */
function isChallenge(challenge: Uint8Array, { toBeSigned }: Nonce): boolean {
  return sameOctets(challenge, toBeSigned) || sameOctets(challenge, hash('sha256', toBeSigned, 'buffer'));
}

function requireSignature(statement: AttestationStatement, target: Certificate, { toBeSigned }: Nonce): void {
  if (!statement.has('sig') && !statement.has('alg')) return;
  const signed = isSignedByAttestedKey(
    target.spki,
    statement.integer('alg'),
    toBeSigned,
    statement.bytes('sig'),
  );
  if (!signed) throw new EvidenceRefused('android-signature', 'sig is not by the attested key');
}

function identitiesOf({
  serial,
  imei,
  secondImei,
  meid,
}: Pick<AuthorizationList, 'serial' | 'imei' | 'secondImei' | 'meid'>): EvidenceIdentities {
  const equipment = [imei, secondImei, meid].filter((each) => each !== null);
  return {
    ...(serial === null ? {} : { serialNumber: serial }),
    ...(equipment.length === 0 ? {} : { imei: equipment }),
  };
}
