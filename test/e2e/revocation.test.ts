import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { before, describe, test, type TestContext } from 'node:test';
import { revocationReasons } from '#ca';
import { derToPem, parseCertificate, parseCertificateList, verifyCertificateListSignature } from '#x509';
import { requireClient } from '../clients.ts';
import {
  anyPorts,
  initAuthority,
  sallyport,
  type ServedAuthority,
  serveAuthority,
} from '../harness/authority.ts';
import { suiteCleanup } from '../harness/cleanup.ts';
import { ClientFolder } from '../harness/client-files.ts';
import { publicDocument } from '../harness/public-document.ts';
import { TestDevice } from '../harness/test-device.ts';

/** RFC 5280 section 5: the list on the public listener is new when the act is done. */
describe('a revocation', () => {
  const cleanup = suiteCleanup();
  let authority: ServedAuthority;
  before(async () => {
    authority = await serveAuthority(await initAuthority(cleanup, anyPorts));
    cleanup.after(() => authority.stop());
  });
  const perform: typeof authority.admin.client.perform = (name, input) =>
    authority.admin.client.perform(name, input);

  const started = Date.now();

  async function currentList() {
    const { type, body } = await publicDocument(authority, '/crl/issuing.crl');
    assert.equal(type, 'application/pkix-crl');
    return parseCertificateList(body);
  }
  const serialNumberOf = ({ certificate }: TestDevice) => parseCertificate(certificate!).serialNumber;
  const entryFor = async (device: TestDevice) =>
    (await currentList()).revoked.filter(({ serialNumber }) => serialNumber === serialNumberOf(device));

  test('is in the CRL at once, with its reason, under a higher number, signed by the issuer', async () => {
    const device = await TestDevice.enrolled(authority, 'laptop-1');
    const before = await currentList();
    assert.deepEqual(await entryFor(device), []);
    const revoked = await perform('revokeCertificate', {
      id: serialNumberOf(device),
      reason: 'keyCompromise',
    });
    assert.equal(revoked.published, true);
    const [entry, ...more] = await entryFor(device);
    assert.deepEqual([entry?.reason, more], [revocationReasons.keyCompromise, []]);
    const after = await currentList();
    assert.ok(after.crlNumber! > before.crlNumber!);
    // A time: above whatever a database that was put back to an earlier state had published before.
    assert.ok(before.crlNumber! >= BigInt(started) && after.crlNumber! <= BigInt(Date.now()));
    const issuer = parseCertificate((await publicDocument(authority, '/ca/issuing.cer')).body);
    assert.ok(verifyCertificateListSignature(after, issuer.spki));
  });

  test('for which nobody gave a reason is unspecified', async () => {
    const device = await TestDevice.enrolled(authority, 'laptop-2');
    await perform('revokeCertificate', { id: serialNumberOf(device) });
    assert.equal((await entryFor(device))[0]!.reason, revocationReasons.unspecified);
  });

  test('of many at once leaves none out', async () => {
    const devices = await Promise.all(
      Array.from({ length: 6 }, (_, number) => TestDevice.enrolled(authority, `many-${number}`)),
    );
    await Promise.all(devices.map((device) => perform('revokeCertificate', { id: serialNumberOf(device) })));
    for (const device of devices) assert.equal((await entryFor(device)).length, 1, device.id);
  });

  test('is final: a second one is refused, and the first stays as it was', async () => {
    const device = await TestDevice.enrolled(authority, 'laptop-3');
    await perform('revokeCertificate', { id: serialNumberOf(device), reason: 'superseded' });
    const again = perform('revokeCertificate', { id: serialNumberOf(device), reason: 'keyCompromise' });
    await assert.rejects(again, { code: 'conflict' });
    assert.equal((await entryFor(device))[0]!.reason, revocationReasons.superseded);
  });

  test('outlives the process', async () => {
    const device = await TestDevice.enrolled(authority, 'laptop-4');
    await perform('revokeCertificate', { id: serialNumberOf(device), reason: 'privilegeWithdrawn' });
    const { crlNumber } = await currentList();
    await authority.stop('SIGKILL');
    authority = await serveAuthority(authority);
    assert.equal((await entryFor(device)).length, 1);
    assert.ok((await currentList()).crlNumber! >= crlNumber!);
  });

  test('is what openssl says of the certificate, by the command line, and was not before', async (t: TestContext) => {
    const openssl = requireClient(t, 'openssl');
    if (openssl === null) return;
    const folder = await ClientFolder.make(t);
    const device = await TestDevice.enrolled(authority, 'laptop-5');
    await writeFile(folder.path('device.pem'), derToPem(device.certificate!, 'CERTIFICATE'));
    const verify = async () => {
      const { body } = await publicDocument(authority, '/crl/issuing.crl');
      await writeFile(folder.path('crl.pem'), derToPem(body, 'X509 CRL'));
      const words = ['-crl_check', '-CRLfile', 'crl.pem', '-CAfile', authority.trust, 'device.pem'];
      return folder.run(openssl, 'verify', ...words);
    };
    assert.equal((await verify()).code, 0);
    const id = serialNumberOf(device);
    const command = [
      'certificate',
      'revoke',
      id,
      '--reason',
      'keyCompromise',
      '--config',
      authority.configuration,
    ];
    const { code, stderr } = await sallyport(...command);
    assert.equal(code, 0, stderr);
    const { code: refused, stderr: words, stdout } = await verify();
    assert.notEqual(refused, 0);
    assert.match(words + stdout.toString(), /certificate revoked/);
  });
});
