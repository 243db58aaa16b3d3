import assert from 'node:assert/strict';
import { copyFile, mkdir } from 'node:fs/promises';
import path from 'node:path';
import { describe, test } from 'node:test';
import { parseCertificateList } from '#x509';
import { anyPorts, initAuthority, serveAuthority } from '../harness/authority.ts';
import { suiteCleanup } from '../harness/cleanup.ts';
import { handshake, issuedFor, loopback, replaceListenerKey } from '../harness/issued-listener.ts';
import { verifyLog } from '../harness/log-findings.ts';
import { publicDocument } from '../harness/public-document.ts';
import { backUp, loseDatabase, nameLog, restored } from '../harness/restoring.ts';

/** After the backup the listener got another key, and its database was lost. */
describe('the certificate of a listener after a restore', () => {
  const cleanup = suiteCleanup();

  for (const replacesAfter of [false, true]) {
    test(`is ${replacesAfter ? 'another one where its key came after the backup: that of before is revoked, and what was lost as well' : 'the one that the backup has'}`, async () => {
      const files = await initAuthority(cleanup, (yaml) => issuedFor(loopback)(anyPorts(yaml)));
      const beside = (name: string) => path.join(files.directory, '..', name);
      let served = await serveAuthority(files, {}, { quiet: true });
      cleanup.after(() => served.stop());
      const first = (await handshake(served)).certificate.serialNumber;
      await mkdir(beside('backups'));
      const backup = await backUp(files, beside('backups'));
      if (replacesAfter) {
        await replaceListenerKey(files);
        served.process.kill('SIGHUP');
        await served.said(/read again/);
      }
      const second = (await handshake(served)).certificate.serialNumber;
      assert.equal(second !== first, replacesAfter);
      await served.stop();
      const siem = beside('siem.ndjson');
      await copyFile(path.join(files.directory, 'log/events.ndjson'), siem);
      await loseDatabase(files, null);
      const { origin, restored: ended } = await restored(files, '--from', backup, '--siem-export', siem);
      assert.equal(ended['lost'], replacesAfter ? 1 : 0);
      await nameLog(files, origin);

      served = await serveAuthority(files, {}, { quiet: true });
      const third = (await handshake(served)).certificate.serialNumber;
      const { body } = await publicDocument(served, '/crl/issuing.crl');
      const listed = parseCertificateList(body).revoked.map(({ serialNumber }) => serialNumber);
      if (replacesAfter) assert.ok(third !== first && third !== second);
      else assert.equal(third, first);
      assert.deepEqual(listed.toSorted(), replacesAfter ? [first, second].toSorted() : []);
      await served.stop();
      const { code, findings } = await verifyLog(files);
      assert.deepEqual({ code, findings }, { code: 0, findings: [] });
    });
  }
});
