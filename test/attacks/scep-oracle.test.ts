import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { buildName } from '#x509';
import { anyPorts, authorityInProcess, initAuthority, serveAuthority } from '../harness/authority.ts';
import { suiteCleanup } from '../harness/cleanup.ts';
import { csrFor, makeKey } from '../harness/csr.ts';
import { entryOf } from '../harness/expect.ts';
import { ScepClient, selfSigned } from '../harness/scep-client.ts';
import { ScepDevice } from '../harness/scep-device.ts';

/** Somebody who asks the RA's key again and again. */
describe('messages of SCEP that cannot be opened', () => {
  const cleanup = suiteCleanup();
  let authority: Awaited<ReturnType<typeof authorityInProcess>>;
  before(async () => {
    authority = await authorityInProcess(cleanup, (yaml) =>
      yaml.replace('  source: {', '  unopened: { burst: 3, count: 1, period: 1h }\n  source: {'),
    );
  });

  test('are no longer opened when a source has sent too many, whatever is in them', async () => {
    const device = await ScepDevice.make(authority, 'oracle-1');
    const { client, key } = device;
    const content = csrFor(device.id, key, { challengePassword: device.secret });
    const envelope = Buffer.from(client.envelope({ content }));
    envelope[200]! ^= 1;
    const told: string[] = [];
    for (let sent = 0; sent < 5; sent += 1) {
      const answer = await client.ask({ content, key, envelope });
      assert.equal(answer.pkiStatus, 'failure');
      told.push(`${answer.failInfo} ${(await entryOf(authority, answer)).error!.message.slice(0, 24)}`);
    }
    assert.deepEqual(told.slice(0, 3), Array(3).fill(told[0]));
    assert.deepEqual(told.slice(3), Array(2).fill('2 this source has sent too'));
    // A good one is not opened either: its answer would tell what the others hide.
    const good = await device.enroll();
    assert.deepEqual([good.pkiStatus, good.failInfo], ['failure', '2']);
    authority.advance(3_600_000);
    await ScepDevice.enrolled(authority, 'oracle-2');
  });

  test('are no more of them where they come at once', async () => {
    // In a process of its own: here they would be opened one after the other.
    const files = await initAuthority(cleanup, (yaml) =>
      anyPorts(yaml).replace('  source: {', '  unopened: { burst: 2, count: 1, period: 1h }\n  source: {'),
    );
    const served = await serveAuthority(files, {}, { quiet: true });
    cleanup.after(() => served.stop());
    const client = await ScepClient.at(`${served.scep}/device`);
    const key = makeKey('rsa-2048');
    const signer = selfSigned(key, buildName([{ type: 'commonName', value: 'anybody' }]));
    const content = Buffer.from('no request');
    const messages = await Promise.all(
      Array.from({ length: 50 }, () => client.build({ content, key, signer })),
    );
    const answers = await Promise.all(messages.map((message) => client.post(message)));
    const opened = answers.filter(({ text }) => text.includes('cannot be opened'));
    assert.equal(opened.length, 2);
  });
});
