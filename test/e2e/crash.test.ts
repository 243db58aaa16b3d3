import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { test } from 'node:test';
import { parseCertificateList } from '#x509';
import { anyPorts, initAuthority, sallyport, serveAuthority } from '../harness/authority.ts';
import { suiteCleanup } from '../harness/cleanup.ts';
import { entriesOf } from '../harness/entries.ts';
import { publicDocument } from '../harness/public-document.ts';
import { TestDevice } from '../harness/test-device.ts';

const cleanup = suiteCleanup();
const wait = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** A process whose clock is ahead: it starts when the leases of its predecessor have ended (docs/issuance.md, What a crash leaves). */
const ahead = (seconds: number) => ({
  NODE_OPTIONS: `--import=data:text/javascript,const%20now=Date.now;Date.now=()=>now()+${seconds * 1000}`,
});

const deviceCount = 60;
const parallel = 8;
/** `serve` is killed when so many devices have their certificate. */
const killedAt = [12, 28, 44];

test('kill -9 under 8 parallel enrollments loses no certificate that a client received, and gives no device two', async (t) => {
  const files = await initAuthority(cleanup, anyPorts);
  let served = await serveAuthority(files);
  cleanup.after(() => served.stop());
  const devices: TestDevice[] = [];
  for (let number = 0; number < deviceCount; number += 1) {
    devices.push(await TestDevice.expected(served, `laptop-${number}`));
  }

  const received = new Map<string, string>();
  const kills = [...killedAt];
  const deadline = AbortSignal.timeout(60_000);

  /** As a device does: the same request again, until it has its certificate. */
  async function enroll(device: TestDevice): Promise<void> {
    for (;;) {
      const answer = await device.enroll({ est: served.est }).catch(() => null);
      if (answer?.status === 200) {
        received.set(device.id, hash('sha256', answer.certificates[0]!));
        return;
      }
      // 202: the approval is in the hands of an intent that the crash left open, and free when its lease has ended.
      if (answer !== null) assert.ok([202, 503].includes(answer.status), answer.text);
      deadline.throwIfAborted();
      await wait(100);
    }
  }
  const waiting = [...devices];
  const clients = Array.from({ length: parallel }, async () => {
    for (let device = waiting.shift(); device !== undefined; device = waiting.shift()) await enroll(device);
  });
  const crashes = (async () => {
    for (const [at, count] of kills.entries()) {
      while (received.size < count) await wait(1);
      await wait(3 * at);
      await served.stop('SIGKILL');
      served = await serveAuthority(files, ahead(40 * (at + 1)));
    }
  })();
  await Promise.all([...clients, crashes]);
  assert.equal(received.size, deviceCount);

  const { stdout } = await sallyport('certificate', 'list', '--json', '--config', files.configuration);
  const listed = JSON.parse(stdout) as { device: string; sha256: string }[];
  assert.deepEqual(
    listed.map(({ device, sha256 }) => `${device} ${sha256}`).sort(),
    [...received].map(([device, sha256]) => `${device} ${sha256}`).sort(),
  );
  const verified = await sallyport('log', 'verify', '--json', '--config', files.configuration);
  assert.equal(verified.code, 0, verified.stdout + verified.stderr);

  const abandoned = (await entriesOf(served)).filter(({ event }) => event === 'intent.abandoned');
  t.diagnostic(`${abandoned.length} intents were open when the process was killed`);
  const { body } = await publicDocument(served, '/crl/issuing.crl');
  assert.deepEqual(
    parseCertificateList(body)
      .revoked.map(({ serialNumber }) => serialNumber)
      .sort(),
    abandoned.map(({ detail }) => (detail as { serialNumber: string }).serialNumber).sort(),
  );
});
