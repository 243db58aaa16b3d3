import type { ReferenceValues } from '../appraisal.ts';
import type { Evidence } from '../evidence.ts';
import { attestationObject, nonce } from '../evidence.fixture.ts';

export const attestedKey = 'ab'.repeat(32);

/** As a verifier says that all is well. */
export const goodAnswer = {
  decision: 'verified',
  code: 'knox-v3',
  nonce: Buffer.from(nonce.toBeSigned).toString('base64'),
  fresh: true,
  spki: attestedKey,
  level: 'tee',
  identities: { serialNumber: 'R5CT1', imei: ['350000000000001', '350000000000019'] },
};

export function answerOf(changed: object = {}): Uint8Array {
  return new Uint8Array(Buffer.from(JSON.stringify({ ...goodAnswer, ...changed })));
}

export function externalEvidence(fmt = 'samsung-knox'): Evidence {
  const blob = new Uint8Array(Buffer.from('what only its vendor can read'));
  return { envelope: 'attestation-object', bytes: attestationObject(fmt, { blob }) };
}

export function externalValues(changed: Partial<ReferenceValues> = {}): ReferenceValues {
  return { anchors: [], levels: null, external: { verifiers: ['knox'] }, ...changed };
}
