import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { chmod, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { before, suite, test } from 'node:test';
import { leafHash, parseVerifierKey, verifyTlogProof } from '#audit';
import {
  anyPorts,
  command,
  initAuthority,
  type ServedAuthority,
  serveAuthority,
} from '../../test/harness/authority.ts';
import { suiteCleanup } from '../../test/harness/cleanup.ts';
import { csrFor, makeKey } from '../../test/harness/csr.ts';
import { est } from '../../test/harness/est-client.ts';

/* `./sallyport` as scripts run it, against `./sallyport serve`. */
suite('the command line and a running authority', { timeout: 120_000 }, () => {
  const cleanup = suiteCleanup();
  let authority: ServedAuthority;

  before(async () => {
    authority = await serveAuthority(await initAuthority(cleanup, anyPorts));
    cleanup.after(() => authority.stop());
  });

  /** A command with --json where `json` is asked for; its exit code and what it printed. */
  const sallyport = (...words: string[]) =>
    new Promise<{ code: number; stdout: string; stderr: string }>((resolve) => {
      const parameters = [...words, '--config', authority.configuration];
      execFile(command, parameters, { timeout: 60_000 }, (error, stdout, stderr) => {
        resolve({
          code: typeof error?.code === 'number' ? error.code : error === null ? 0 : -1,
          stdout,
          stderr,
        });
      });
    });
  const json = async <Value>(...words: string[]): Promise<Value> => {
    const { code, stdout, stderr } = await sallyport(...words, '--json');
    assert.equal(code, 0, stderr);
    assert.equal(stderr, '');
    assert.match(stdout, /^[^\n]+\n$/, 'one line');
    return JSON.parse(stdout) as Value;
  };
  const enroll = (deviceId: string, secret: string, key: ReturnType<typeof makeKey>, template = 'device') =>
    est({
      url: `${authority.est}/${template}/simpleenroll`,
      body: csrFor(deviceId, key).toString('base64'),
      user: [deviceId, secret],
      trust: authority.trustPem,
    });

  test('serve --json prints one line when it is ready: listeners and trust files', async () => {
    const { ready, listeners, trust } = authority.ready as {
      ready: boolean;
      listeners: {
        name: string;
        class: string;
        address: string;
        port: number;
        url: string;
        socket: string;
      }[];
      trust: Record<'root' | 'issuing' | 'chain', string>;
    };
    assert.equal(ready, true);
    assert.deepEqual(
      listeners.map((listener) => listener.class),
      ['enroll', 'public', 'admin', 'enroll'],
    );
    assert.match(listeners[3]!.url, /^http:\/\/127\.0\.0\.1:\d+$/);
    assert.match(listeners[0]!.url, /^https:\/\/127\.0\.0\.1:\d+$/);
    assert.equal((await stat(listeners[2]!.socket)).mode & 0o777, 0o600);
    for (const file of Object.values(trust)) {
      assert.ok((await readFile(file, 'utf8')).startsWith('-----BEGIN CERTIFICATE'));
    }
  });

  test('from the list of devices to a revoked certificate, and the log proves it', async () => {
    const list = join(authority.directory, '..', 'devices.csv');
    await writeFile(list, 'id,class,serial_number\nlaptop-7,laptop,C02X\ncam-1,iot,\n');
    assert.equal((await json<{ imported: boolean }>('device', 'import', list)).imported, true);
    const { secret } = await json<{ secret: string; id: string; expiresAt: string }>(
      'secret',
      'create',
      '--device',
      'laptop-7',
      '--template',
      'device',
    );

    const key = makeKey();
    assert.equal((await enroll('laptop-7', secret, key)).status, 202);
    const requests = await json<
      { id: string; device: string; template: string; state: string; objections: { detail: string }[] }[]
    >('request', 'list');
    assert.equal(requests.length, 1);
    const [request] = requests;
    assert.deepEqual([request!.device, request!.template, request!.state], ['laptop-7', 'device', 'pending']);
    assert.match(request!.objections[0]!.detail, /operator/);
    await json('request', 'approve', request!.id);
    assert.deepEqual(await json('request', 'list'), []);
    assert.equal((await enroll('laptop-7', secret, key)).status, 200);

    const certificates = await json<
      { serialNumber: string; device: string; state: string; logIndex: number }[]
    >('certificate', 'list');
    assert.deepEqual(
      certificates.map(({ device, state }) => [device, state]),
      [['laptop-7', 'current']],
    );
    const { serialNumber, logIndex } = certificates[0]!;
    const pem = await sallyport('certificate', 'show', serialNumber, '--pem');
    assert.match(pem.stdout, /^-----BEGIN CERTIFICATE-----/);
    const revoked = await json<{ published: boolean }>(
      'certificate',
      'revoke',
      serialNumber,
      '--reason',
      'keyCompromise',
    );
    assert.equal(revoked.published, true);

    const verified = await json<{ ok: boolean; size: number; certificates: number }>('log', 'verify');
    assert.deepEqual([verified.ok, verified.certificates], [true, 1]);
    assert.ok(verified.size > logIndex);
    const proof = await proveWhenSigned(String(logIndex));
    const proven = verifyTlogProof(proof.receipt, {
      leafHash: leafHash(Buffer.from(proof.entry)),
      log: parseVerifierKey(proof.verifierKey),
    });
    assert.equal(proven.index, logIndex);

    const shown = await json<{ device: { state: string }; certificates: unknown[] }>(
      'device',
      'show',
      'laptop-7',
    );
    assert.equal(shown.device.state, 'active');
    assert.equal(shown.certificates.length, 1);
  });

  const proveWhenSigned = async (id: string) => {
    for (;;) {
      const { code, stdout, stderr } = await sallyport('log', 'prove', id, '--json');
      if (code === 0) return JSON.parse(stdout) as { receipt: string; entry: string; verifierKey: string };
      assert.match(stderr, /wait a second/);
    }
  };

  test('log tail --json is one entry a line; for people it fits 100 columns', async () => {
    const { stdout } = await sallyport('log', 'tail', '--json', '--lines', '1000');
    const entries = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { index: number; entry: { type: string } });
    assert.deepEqual(
      entries.map(({ index }) => index),
      entries.map((_, at) => at),
    );
    assert.equal(entries[0]!.entry.type, 'authority');
    const words = await sallyport('log', 'tail', '--lines', '1000');
    for (const line of words.stdout.split('\n')) assert.ok(line.length <= 100, line);
    assert.match(words.stdout, /secret\.create +admin +laptop-7 device/);
  });

  test('an unknown or readable token does nothing', async () => {
    const file = join(authority.directory, '..', 'other.token');
    await writeFile(file, 'sallyport_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n', { mode: 0o600 });
    const wrong = await sallyport('device', 'retire', 'cam-1', '--operator-token', file);
    assert.equal(wrong.code, 1);
    assert.match(wrong.stderr, /^sallyport: no operator has this token/);
    await chmod(file, 0o644);
    const readable = await sallyport('device', 'list', '--operator-token', file);
    assert.equal(readable.code, 3);
    assert.match(readable.stderr, /chmod 600/);
    const { device } = await json<{ device: { state: string } }>('device', 'show', 'cam-1');
    assert.equal(device.state, 'expected');
  });

  test('SIGTERM ends it with exit code 0; then commands say that it does not run, and the log still verifies', async () => {
    const exited = once(authority.process, 'exit');
    authority.process.kill('SIGTERM');
    assert.deepEqual(await exited, [0, null]);
    const { code, stderr } = await sallyport('device', 'list');
    assert.equal(code, 4);
    assert.match(stderr, /does not answer .*sallyport serve/);
    assert.equal((await json<{ ok: boolean }>('log', 'verify')).ok, true);
  });
});
