import assert from 'node:assert/strict';
import { test } from 'node:test';
import { demandCertificateLists } from './trial-crl.ts';

const now = 1_700_000_000_000;
const row = { serialNumber: '0a', revokedAt: now, reason: 1 };

const demand = (...rows: (typeof row)[]) =>
  demandCertificateLists(
    {
      async *revoked(issuer) {
        // In parts of one: what is twice need not be in one part.
        if (issuer === 'second') for (const each of rows) yield [each];
      },
    },
    ['first', 'second'],
  );

test('what a list can hold is taken', async () => {
  await demand(row, { ...row, serialNumber: '0b', reason: 0 });
});

test('what would end the CRL of an issuer is refused, with its name', async () => {
  const refused = { code: 'log', message: /could issue no CRL of second: / };
  await assert.rejects(demand({ ...row, serialNumber: 'abc' }), refused);
  await assert.rejects(demand({ ...row, revokedAt: 9_000_000_000_000_000 }), refused);
  await assert.rejects(demand(row, { ...row, reason: 4 }), refused);
});
