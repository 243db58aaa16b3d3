import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { findCertificationPath, parseCertificate } from '#x509';
import type { Evidence } from '../evidence.ts';
import type { Examination } from '../examination.ts';
import { examine } from '../examine.ts';
import {
  hardwareModule,
  makeBundle,
  makeObject,
  nonce,
  permanentIdentifier,
  root,
  rsaKey,
  tpmName,
} from './statement.fixture.ts';

const given = { toBeSigned: nonce, token: nonce };
const anchor = parseCertificate(root);
const certificate = { names: [tpmName(), permanentIdentifier('device-1')] };

/** Whether an operator who trusts the CA would take it. */
function isTaken({ fault, certificates, statement }: Examination): boolean {
  if (fault !== null || statement?.fresh !== true) return false;
  const [leaf, ...others] = certificates.map((each) => parseCertificate(Uint8Array.fromBase64(each)));
  return findCertificationPath(leaf!, others, [anchor]) !== null;
}

const evidence: Readonly<Record<string, Evidence>> = {
  'an attestation object': { envelope: 'attestation-object', bytes: makeObject({ certificate, others: [] }) },
  'one with raw signatures of RSA': {
    envelope: 'attestation-object',
    bytes: makeObject({ certificate, others: [], attestationKey: rsaKey(), form: 'raw' }),
  },
  'one by a key that a maker has certified': {
    envelope: 'attestation-object',
    bytes: makeObject({
      certificate: { usages: [], policies: ['2.23.133.11.1.3'], names: [hardwareModule('SN-1')] },
      others: [],
    }),
  },
  'an attestation bundle': { envelope: 'attestation-bundle', bytes: makeBundle({ certificate, others: [] }) },
};

suite('evidence with one bit changed is not taken', () => {
  for (const [what, honest] of Object.entries(evidence)) {
    test(what, { timeout: 120_000 }, () => {
      assert.ok(isTaken(examine(honest, given)));
      for (let bit = 0; bit < honest.bytes.length * 8; bit += 1) {
        const at = bit >> 3;
        const bytes = new Uint8Array(honest.bytes).with(at, (honest.bytes[at] ?? 0) ^ (1 << (bit & 7)));
        assert.ok(!isTaken(examine({ ...honest, bytes }, given)), `bit ${bit} may be either`);
      }
    });
  }
});
