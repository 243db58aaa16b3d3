import assert from 'node:assert/strict';
import { sign } from 'node:crypto';
import { before, describe, test } from 'node:test';
import { assembleSigned, buildName, type Der, der, encodeName, extensionOids, oids } from '#x509';
import { authorityInProcess } from '../harness/authority.ts';
import { suiteCleanup } from '../harness/cleanup.ts';
import { assertRefused } from '../harness/expect.ts';
import { TestDevice } from '../harness/test-device.ts';

/** Requests that are not DER, or not PKCS #10, by the letter, and mean one thing: clients in the field send them. */
describe('a request', () => {
  const cleanup = suiteCleanup();
  let authority: Awaited<ReturnType<typeof authorityInProcess>>;
  before(async () => {
    authority = await authorityInProcess(cleanup);
  });

  /** What follows the key in CertificationRequestInfo. */
  function csrWith({ id, key }: TestDevice, ...attributes: readonly Der[]): Buffer {
    const name = encodeName(buildName([{ type: 'commonName', value: id }]));
    const info = der.sequence(der.integer(0), name, key.spki, ...attributes);
    return Buffer.from(assembleSigned(info, key.algorithm, sign('sha256', info, key.privateKey)));
  }
  const asking = (...extensions: readonly Der[]) => {
    const values = der.set(der.sequence(...extensions));
    return der.implicitConstructed(0, der.sequence(der.oid(oids.extensionRequest), values));
  };
  const falseWrittenOut = der.boolean(false);
  const constraints = (...inside: readonly Der[]) =>
    der.sequence(der.oid(extensionOids.basicConstraints), der.octetString(der.sequence(...inside)));
  const digitalSignature = Uint8Array.of(0x03, 0x02, 0x07, 0x80);

  let devices = 0;
  const device = () => TestDevice.expected(authority, `laptop-${(devices += 1)}`);
  const cases: Readonly<Record<string, readonly Der[]>> = {
    'without attributes': [],
    'with an empty extensionRequest': [asking()],
    'with critical FALSE written out': [
      asking(
        der.sequence(der.oid(extensionOids.keyUsage), falseWrittenOut, der.octetString(digitalSignature)),
      ),
    ],
    'with cA FALSE written out': [asking(constraints(falseWrittenOut))],
  };
  for (const [what, attributes] of Object.entries(cases)) {
    test(`${what} gets what every other gets`, async () => {
      const asks = await device();
      const answer = await asks.enroll({ csr: csrWith(asks, ...attributes) });
      assert.equal(answer.status, 200, answer.text);
    });
  }

  test('to be a CA is refused, with a path length beside cA FALSE too', async () => {
    const asks = await device();
    for (const inside of [[der.boolean(true)], [falseWrittenOut, der.integer(0)]]) {
      const answer = await asks.enroll({ csr: csrWith(asks, asking(constraints(...inside))) });
      await assertRefused(authority, answer, 400, ['request-end-entity']);
    }
  });
});
