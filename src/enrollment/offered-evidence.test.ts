import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { RevocationList } from '#evidence';
import { parseCertificate } from '#x509';
import { sha256Hex } from './digests.ts';
import { digest, noon } from './identity.fixture.ts';
import { examined } from './layers/evidence.fixture.ts';
import { evidenceObservation, recordable } from './offered-evidence.ts';
import { TestCa } from '../../test/harness/pki.ts';

describe('what is recorded of evidence', () => {
  const { certificate } = TestCa.root('Makers').endEntity({ subject: [{ type: 'commonName', value: 'AK' }] });
  const examination = { ...examined, certificates: [Buffer.from(certificate).toString('base64')] };

  test('is all that it says up to 20 KiB, and of one that says more that alone', () => {
    const saying = (octets: number) => {
      const others = Buffer.byteLength(JSON.stringify({ ...examination, certificates: [''] }));
      return { ...examination, certificates: ['A'.repeat(octets - others)] };
    };
    const most = saying(20 * 1024);
    assert.equal(recordable(most), most);
    const { fault, ...rest } = recordable(saying(20 * 1024 + 1));
    assert.equal(fault?.check, 'too-large');
    assert.deepEqual(rest, { sha256: examined.sha256, format: 'tpm', certificates: [], statement: null });
  });

  test('is no more than 16 lists of revoked certificates, and that there are more', () => {
    const observed = (count: number) => {
      const lists = Array.from({ length: count }, (_, at): RevocationList => ({
        sha256: digest('2e'),
        signer: String(at),
        name: [],
        issuer: sha256Hex(parseCertificate(certificate).issuerDer),
        thisUpdate: noon,
        nextUpdate: noon,
        serialNumbers: new Set(),
      }));
      const { status } = evidenceObservation(
        examination,
        {
          statusLists: { tpm: { lists, intermediates: [], files: new Map(), anchors: [] } },
          issuers: new Map(),
        },
        { earlierEvidence: null, attester: null, versions: null, attestingKey: null },
      );
      assert.ok(status && 'issuers' in status);
      return [status.issuers.length, status.complete];
    };
    assert.deepEqual(observed(16), [16, true]);
    assert.deepEqual(observed(17), [16, false]);
  });
});

describe('an attestation key that the store does not know', () => {
  const above = TestCa.root('A CA of the house');
  const issuing = above.intermediate('Ours');
  const issuers = new Map([['ours', { issuer: { certificate: parseCertificate(issuing.certificate) } }]]);
  const attesterOf = (ca: TestCa) => {
    const { certificate } = ca.endEntity({ subject: [{ type: 'commonName', value: 'AK' }] });
    const examination = { ...examined, certificates: [Buffer.from(certificate).toString('base64')] };
    const unseen = { earlierEvidence: null, attester: null, versions: null, attestingKey: null };
    return evidenceObservation(examination, { statusLists: {}, issuers }, unseen).attester;
  };

  test('and an issuer of ours has certified, is told apart', () => {
    assert.deepEqual(attesterOf(issuing), { deviceId: null, revoked: false, unknown: true });
  });

  test('and another CA has certified, is of that one, though it stands above ours', () => {
    assert.equal(attesterOf(above), null);
    assert.equal(attesterOf(TestCa.root('Ours')), null);
  });
});
