import assert from 'node:assert/strict';
import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, test } from 'node:test';
import { anyPorts, initAuthority, serveAuthority, type ServedAuthority } from '../harness/authority.ts';
import { suiteCleanup } from '../harness/cleanup.ts';
import { csrFor, makeKey } from '../harness/csr.ts';
import { OtherSystem, type Reply } from '../harness/other-system.ts';
import { backUp, loseDatabase, nameLog, restore } from '../harness/restoring.ts';
import { ScepClient } from '../harness/scep-client.ts';

describe('a withdrawn certificate', () => {
  const cleanup = suiteCleanup();
  let decide: (schema: string) => Reply | Promise<Reply>;
  test('is revoked after a restore of a backup that was made between issuing and withdrawing', async () => {
    const mdm = await OtherSystem.start(cleanup, ({ text }) =>
      decide((JSON.parse(text) as { schema: string }).schema),
    );
    const files = await initAuthority(cleanup, (yaml) =>
      anyPorts(yaml)
        .replace(
          /^ {2}device:\n([^]*?) {4}authentication: \[secret\]\n/m,
          (_, body: string) => `  device:\n${body}    authentication: [workflow]\n    workflows: [mdm]\n`,
        )
        .replace(
          /^secrets:$/m,
          `workflows:\n  mdm:\n    kind: webhook\n    url: ${mdm.url}/hook\n    key: { file: secrets/hook }\n    ca: ${mdm.caFile}\n    timeout: 8s\nsecrets:`,
        ),
    );
    await writeFile(
      path.join(files.directory, 'secrets/hook'),
      'a key that both sides have, and nobody else',
      { mode: 0o600 },
    );
    let served: ServedAuthority = await serveAuthority(files, {}, { quiet: true });
    cleanup.after(() => served.stop());
    await served.admin.device('laptop', { approveFor: ['device'] });
    const backups = path.join(files.directory, '..', 'backups');
    await mkdir(backups);
    let backup = '';
    decide = async (schema) => {
      if (schema !== 'sallyport.deliver/1') return { body: { decision: 'allow' } };
      backup = await backUp(files, backups);
      return { body: { decision: 'deny' } };
    };
    const key = makeKey('rsa-2048');
    const client = await ScepClient.at(`${served.scep}/device`);
    const answer = await client.ask({ content: csrFor('laptop', key, { challengePassword: 'c' }), key });
    assert.equal(answer.pkiStatus, 'failure', answer.text);
    const state = async () =>
      (await served.admin.client.perform('listCertificates', { device: 'laptop' })).items.map(
        (each) => each.state,
      );
    assert.deepEqual(await state(), ['revoked']);
    await served.stop();
    const siem = path.join(files.directory, '..', 'siem.ndjson');
    await copyFile(path.join(files.directory, 'log/events.ndjson'), siem);
    await loseDatabase(files, null);
    const done = await restore(files, '--from', backup, '--siem-export', siem);
    assert.equal(done.code, 0, done.stderr);
    await nameLog(files, done.report!.origin);
    const next = await serveAuthority(files, {}, { quiet: true });
    served = next;
    assert.deepEqual(await state(), ['revoked']);
  });
});
