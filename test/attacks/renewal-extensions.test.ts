import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { type Extension, extensionOids, parseCertificate } from '#x509';
import { authorityInProcess } from '../harness/authority.ts';
import { suiteCleanup } from '../harness/cleanup.ts';
import { csrFor, renewalCsr } from '../harness/csr.ts';
import { assertRefused } from '../harness/expect.ts';
import { TestDevice } from '../harness/test-device.ts';

/** libest makes the request of a renewal from its certificate, and asks for every extension in it. */
describe('the extensions that a renewal asks for', () => {
  const cleanup = suiteCleanup();
  let authority: Awaited<ReturnType<typeof authorityInProcess>>;
  before(async () => {
    authority = await authorityInProcess(cleanup);
  });

  const certificateOf = ({ certificate }: TestDevice) => parseCertificate(certificate!);
  /** Those that the SAN does not already bring. */
  const extensionsOf = (device: TestDevice) =>
    certificateOf(device).extensions.filter(({ oid }) => oid !== extensionOids.subjectAltName);
  const renewWith = (device: TestDevice, extensions: readonly Extension[]) =>
    device.renew({ csr: renewalCsr(device.certificate!, device.key, { extensions }) });

  test('may be all that its certificate has; the new one has what the template gives', async () => {
    const device = await TestDevice.enrolled(authority, 'repeats');
    const before = certificateOf(device);
    const answer = await renewWith(device, extensionsOf(device));
    assert.equal(answer.status, 200, answer.text);
    assert.notDeepEqual(certificateOf(device).serialNumber, before.serialNumber);
    assert.deepEqual(certificateOf(device).extensions, before.extensions);
  });

  test('may not have another value than there', async () => {
    const device = await TestDevice.enrolled(authority, 'changes');
    const changed = extensionsOf(device).map((extension) => {
      if (extension.oid !== extensionOids.crlDistributionPoints) return extension;
      const value = Buffer.from(extension.value);
      value.write('X', value.length - 1);
      return { ...extension, value };
    });
    assert.equal(changed.length, extensionsOf(device).length);
    await assertRefused(authority, await renewWith(device, changed), 400, ['request-extensions']);
  });

  test('of a certificate that is not presented are refused, its own of before among them', async () => {
    const device = await TestDevice.enrolled(authority, 'enrolls-again');
    const extensions = extensionsOf(device);
    await authority.admin.client.perform('approveDevice', { id: device.id, template: 'device' });
    await device.newSecret();
    const answer = await device.enroll({ csr: csrFor(device.id, device.key, { extensions }) });
    await assertRefused(authority, answer, 400, ['request-extensions']);
  });
});
