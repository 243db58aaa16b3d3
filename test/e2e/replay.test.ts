import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, test } from 'node:test';
import { replayLog } from '#cli';
import { anyPorts, initAuthority, sallyportHere, serveAuthority } from '../harness/authority.ts';
import { suiteCleanup } from '../harness/cleanup.ts';
import { makeKey, privateKeyPem } from '../harness/csr.ts';
import { TestCa } from '../harness/pki.ts';
import { TamperedAuthority } from '../harness/tampering.ts';
import { TestDevice } from '../harness/test-device.ts';

describe('asking the whole log again while it is served', () => {
  const cleanup = suiteCleanup();

  test('says that it verifies; and what does not, where somebody changed the database', async (t) => {
    const files = await initAuthority(cleanup, anyPorts);
    const served = await serveAuthority(files);
    cleanup.after(() => served.stop());
    await TestDevice.enrolled(served, 'laptop-1');
    const signal = new AbortController().signal;
    const clean = await replayLog(files.configuration, process.env, signal);
    assert.equal(clean.ok, true);
    assert.ok(clean.size > 3);
    assert.equal(clean.certificates, 1);
    await served.stop();

    const tampered = await TamperedAuthority.copyOf(files, t);
    tampered.write((database) => database.exec("update certificate set template = 'server'"));
    const report = await replayLog(tampered.configuration, process.env, signal);
    assert.equal(report.ok, false);
    assert.ok(report.findings.length > 0);
  });

  test('ends when it is no longer wanted, and says what kept it from its end', async () => {
    const files = await initAuthority(cleanup, anyPorts);
    const ending = new AbortController();
    const running = replayLog(files.configuration, process.env, ending.signal);
    ending.abort();
    await assert.rejects(running, { code: 'store' });
    await assert.rejects(replayLog('/nowhere/sallyport.yaml', process.env, new AbortController().signal), {
      code: 'store',
      message: /sallyport\.yaml/,
    });
  });
});

describe('sallyport status', () => {
  const cleanup = suiteCleanup();

  test('tells how the authority is, for people and for scripts', async () => {
    const files = await initAuthority(cleanup, anyPorts);
    const served = await serveAuthority(files);
    cleanup.after(() => served.stop());
    await TestDevice.enrolled(served, 'laptop-1');
    const at = ['--config', files.configuration];
    const { code, stdout } = await sallyportHere('status', '--json', ...at);
    assert.equal(code, 0);
    const status = JSON.parse(stdout);
    assert.equal(status.ok, true);
    assert.deepEqual(status.concerns, []);
    assert.equal(status.node, null);
    assert.equal(status.database.kind, 'sqlite');
    assert.ok(status.database.commits > 0 && status.database.operations >= status.database.commits);
    assert.ok(status.log.size >= status.log.signed && status.log.signed > 0);
    assert.deepEqual(
      status.crls.map(({ issuer, nextUpdate }: Record<string, string>) => [
        issuer,
        nextUpdate! > status.time,
      ]),
      [['issuing', true]],
    );
    const jobs = status.jobs.map(({ name }: { name: string }) => name);
    for (const job of ['crl', 'sweep', 'replay', 'checkpoint']) assert.ok(jobs.includes(job), job);
    const words = await sallyportHere('status', ...at);
    assert.equal(words.code, 0);
    assert.match(words.stdout, /Nothing needs you\./);
    await served.stop();
    assert.equal((await sallyportHere('status', ...at)).code, 4);
  });

  for (const [ends, said] of [
    [-1, /^the certificate of listener enroll has ended/],
    [5, /^the certificate of listener enroll ends on /],
    [15, null],
  ] as const) {
    test(`of a listener whose certificate of 100 days ends in ${ends}`, async () => {
      const files = await initAuthority(cleanup, anyPorts);
      const notAfter = Date.now() + ends * 86_400_000;
      const made = TestCa.root('enroll', {
        ca: false,
        key: makeKey(),
        notBefore: notAfter - 100 * 86_400_000,
        notAfter,
        subjectAltName: [{ kind: 'ip', value: '127.0.0.1' }],
      });
      await writeFile(path.join(files.directory, 'pki/listener.pem'), made.pem);
      await writeFile(path.join(files.directory, 'keys/listener.key.pem'), privateKeyPem(made.key));
      const served = await serveAuthority(files);
      cleanup.after(() => served.stop());
      const at = ['--config', files.configuration];
      const { code, stdout } = await sallyportHere('status', '--json', ...at);
      const { concerns } = JSON.parse(stdout) as { concerns: string[] };
      assert.equal(code, said === null ? 0 : 1);
      assert.equal(concerns.length, said === null ? 0 : 1);
      if (said !== null) assert.match(concerns[0]!, said);
      assert.match((await sallyportHere('status', ...at)).stdout, /certificate until /);
    });
  }

  test('a receiver that takes nothing is said, with exit code 1', async () => {
    const files = await initAuthority(cleanup, (yaml) =>
      anyPorts(yaml).replace(/ndjson: \{ file: [^}]+\}/, 'ndjson: { file: /dev/full }'),
    );
    const served = await serveAuthority(files);
    cleanup.after(() => served.stop());
    await served.said(/sink/);
    const { code, stdout } = await sallyportHere('status', '--json', '--config', files.configuration);
    assert.equal(code, 1);
    assert.match(JSON.parse(stdout).concerns.join(), /sink/);
  });
});
