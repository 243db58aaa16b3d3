import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isSallyportError } from '#errors';
import type { TrustAnchors } from '#evidence';
import type { Certificate } from '#x509';
import { demandLevels } from './evidence-roots.ts';

const issuer = { der: new Uint8Array([1]) } as Certificate;
const anchors = (name: string, format: TrustAnchors['format'], level: TrustAnchors['level'], der = 2) =>
  ({ name, format, level, roots: [Buffer.of(der).toString('base64')], intermediates: [] }) as const;
const believing = (...roots: string[]) =>
  [{ name: 'laptop', evidence: { endorsement: { roots } } }] as unknown as Parameters<typeof demandLevels>[1];

test('attestation keys that we certify are of the level of every maker that is believed', () => {
  const ours = anchors('ours', 'tpm', 'discrete-tpm', 1);
  const makers = anchors('makers', 'endorsement', 'discrete-tpm');
  const cloud = anchors('cloud', 'endorsement', 'virtual-tpm', 3);
  demandLevels([ours, makers], believing('makers'), [issuer]);
  // Nobody believes these makers, or the CA is another one.
  demandLevels([ours, makers, cloud], believing('makers'), [issuer]);
  demandLevels([anchors('others', 'tpm', 'discrete-tpm', 4), cloud], believing('cloud'), [issuer]);
  assert.throws(
    () => demandLevels([ours, makers, cloud], believing('makers', 'cloud'), [issuer]),
    (error) =>
      isSallyportError(error, 'config') && error.message.endsWith('of cloud, which is of level virtual-tpm'),
  );
});
