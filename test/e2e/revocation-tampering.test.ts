import assert from 'node:assert/strict';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { before, describe, test } from 'node:test';
import { parseCertificateList } from '#x509';
import { type AuthorityFiles, anyPorts, initAuthority, serveAuthority } from '../harness/authority.ts';
import { suiteCleanup } from '../harness/cleanup.ts';
import { verifyLog } from '../harness/log-findings.ts';
import { publicDocument } from '../harness/public-document.ts';
import { TamperedAuthority } from '../harness/tampering.ts';
import { TestDevice } from '../harness/test-device.ts';

/** A serial number is taken off what relying parties read, by whoever writes the database. */
describe('a revocation that was tampered with', () => {
  const cleanup = suiteCleanup();
  let original: AuthorityFiles;
  let serialNumber: string;
  /** As it was before the revocation. */
  let olderCrl: { readonly number: string; readonly der: Uint8Array };
  before(async () => {
    original = await initAuthority(cleanup, anyPorts);
    const morning = await serveAuthority(original);
    await TestDevice.enrolled(morning, 'ida-laptop');
    const { items } = await morning.admin.client.perform('listCertificates', { device: 'ida-laptop' });
    const [certificate] = items;
    ({ serialNumber } = certificate!);
    await morning.stop();
    const database = new DatabaseSync(path.join(original.directory, 'data/sallyport.db'));
    olderCrl = database.prepare('select number, der from crl').get() as unknown as typeof olderCrl;
    database.close();
    const evening = await serveAuthority(original);
    const { client } = evening.admin;
    await client.perform('revokeCertificate', { id: certificate!.sha256 });
    await client.perform('retireDevice', { id: 'ida-laptop' });
    await client.perform('eraseDevice', { id: 'ida-laptop' });
    await evening.stop();
  });

  async function listedBy({ directory, configuration }: TamperedAuthority): Promise<readonly string[]> {
    const node = await serveAuthority({ ...original, directory, configuration });
    try {
      const { body } = await publicDocument(node, '/crl/issuing.crl');
      return parseCertificateList(body).revoked.map((each) => each.serialNumber);
    } finally {
      await node.stop();
    }
  }

  test('verifies as long as it was not', async (t) => {
    const untouched = await TamperedAuthority.copyOf(original, t);
    const { code, findings } = await verifyLog(untouched);
    assert.deepEqual({ code, findings }, { code: 0, findings: [] });
    assert.deepEqual(await listedBy(untouched), [serialNumber]);
  });

  test("is found where the certificate's end was put before today, its device being erased", async (t) => {
    const tampered = await TamperedAuthority.copyOf(original, t);
    tampered.write((database) => database.exec('update certificate set not_after = 1000'));
    const { code, findings } = await verifyLog(tampered);
    const listed = await listedBy(tampered);
    assert.deepEqual({ code, listed }, { code: 5, listed: [] }, JSON.stringify(findings));
  });

  test('is found where the list of before it is put in place of the one that is published', async (t) => {
    const tampered = await TamperedAuthority.copyOf(original, t);
    tampered.write((database) => database.prepare('update crl set der = ?').run(olderCrl.der));
    const { code, findings } = await verifyLog(tampered);
    assert.equal(code, 5, JSON.stringify(findings));
  });
});
