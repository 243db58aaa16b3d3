import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { der } from '#x509';
import { statementTypes } from './attestation-bundle.ts';
import { attestationObject, nonce } from './evidence.fixture.ts';
import { examine } from './examine.ts';
import { encodeBundle } from './tpm/statement.fixture.ts';

suite('the certificates of evidence, all of which are recorded', () => {
  const enveloped = {
    'attestation-object': (x5c: readonly Uint8Array[]) => attestationObject('apple', { x5c }),
    'attestation-bundle': (certificates: readonly Uint8Array[]) =>
      encodeBundle([[statementTypes.tpmCertify, der.null()]], certificates),
  } as const;
  /** No certificates, but DER of so many octets, 256 at least. */
  const ofLength = (octets: number) => der.sequence(der.octetString(new Uint8Array(octets - 8)));

  for (const envelope of ['attestation-object', 'attestation-bundle'] as const) {
    const examined = (octets: number) => {
      const bytes = enveloped[envelope]([ofLength(8192), ofLength(octets - 8192)]);
      return examine({ envelope, bytes }, nonce);
    };

    test(`have 12 KiB at most in all, in an ${envelope}`, () => {
      const most = examined(12 * 1024);
      assert.deepEqual([most.fault?.check, most.certificates.length], ['malformed', 2]);
      const { fault, certificates } = examined(12 * 1024 + 1);
      assert.deepEqual([fault?.check, certificates], ['too-large', []]);
      assert.match(fault?.detail ?? '', /12289 octets/);
    });
  }
});
