import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { access, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { before, describe, test } from 'node:test';
import { loadConfiguration } from '#config';
import { anyPorts, sallyport, sallyportHere, serveAuthority } from '../harness/authority.ts';
import { suiteCleanup } from '../harness/cleanup.ts';
import { logSize } from '../harness/entries.ts';

/** The first hour of an operator, by the shipped command line. */
describe('a first authority', () => {
  const cleanup = suiteCleanup();
  let parent: string;
  let directory: string;
  let configuration: string;
  before(async () => {
    parent = await mkdtemp(path.join(tmpdir(), 'sallyport-first-'));
    cleanup.after(() => rm(parent, { recursive: true, force: true }));
    directory = path.join(parent, 'authority');
    configuration = path.join(directory, 'sallyport.yaml');
    const { code, stderr } = await sallyport('init', '--dir', directory, '--yes', '--port-base', '19870');
    assert.equal(code, 0, stderr);
  });

  async function everyFile(): Promise<string[]> {
    const names = await readdir(directory, { recursive: true });
    return ['', ...names].map((name) => path.join(directory, name));
  }
  const modeOf = async (file: string) => (await stat(file)).mode & 0o777;

  async function assertPrivate(): Promise<void> {
    for (const file of await everyFile()) {
      const expected = (await stat(file)).isDirectory() ? 0o700 : 0o600;
      assert.equal((await modeOf(file)).toString(8), expected.toString(8), file);
    }
  }

  test('is in folders of mode 0700 and files of mode 0600', assertPrivate);

  test('listens on loopback, on the port base and the two after it', () => {
    const { listeners } = loadConfiguration(configuration, {});
    const places = listeners.flatMap((listener) =>
      listener.class === 'admin' ? [] : [`${listener.class} ${listener.address}:${listener.port}`],
    );
    assert.deepEqual(places, ['enroll 127.0.0.1:19870', 'public 127.0.0.1:19871', 'enroll 127.0.0.1:19872']);
  });

  test('is not made a second time, nor in a folder that holds anything, and what is there stays as it is', async () => {
    const contents = async () => {
      const files = [];
      for (const file of await everyFile()) {
        if ((await stat(file)).isFile()) files.push([file, hash('sha256', await readFile(file))]);
      }
      return files;
    };
    const before = await contents();
    const again = await sallyport('init', '--dir', directory, '--yes');
    assert.equal(again.code, 1);
    assert.match(again.stderr, /nothing was changed/);
    assert.deepEqual(await contents(), before);

    const foreign = await mkdtemp(path.join(parent, 'foreign-'));
    await writeFile(path.join(foreign, 'thesis.txt'), 'precious');
    assert.notEqual((await sallyport('init', '--dir', foreign, '--yes')).code, 0);
    assert.deepEqual(await readdir(foreign), ['thesis.txt']);
  });

  test('says in one line of JSON where it listens and what to trust, once it is ready', async (t) => {
    await writeFile(configuration, anyPorts(await readFile(configuration, 'utf8')));
    const served = await serveAuthority({
      directory,
      configuration,
      trust: path.join(directory, 'pki/trust.pem'),
    });
    t.after(() => served.stop());
    const { listeners, trust, ...more } = served.ready as {
      listeners: Record<string, unknown>[];
      trust: Record<'root' | 'issuing' | 'chain', string>;
    };
    assert.deepEqual(more, { ready: true, name: 'Sallyport' });
    for (const file of Object.values(trust)) await access(file);
    assert.deepEqual(Object.keys(trust).sort(), ['chain', 'issuing', 'root']);
    assert.deepEqual(
      listeners.map(({ name, class: of, address }) => [name, of, address]),
      [
        ['enroll', 'enroll', '127.0.0.1'],
        ['public', 'public', '127.0.0.1'],
        ['admin', 'admin', null],
        ['scep', 'enroll', '127.0.0.1'],
      ],
    );
    assert.match(String(listeners[0]!['url']), /^https:\/\/127\.0\.0\.1:\d+$/);
    assert.match(String(listeners[1]!['url']), /^http:\/\/127\.0\.0\.1:\d+$/);
    assert.equal(listeners[2]!['socket'], path.join(directory, 'run/admin.sock'));

    await t.test('keeps its folders and files private while it runs, the socket among them', assertPrivate);

    await t.test('refuses a second process beside it, which leaves no trace', async () => {
      const size = await logSize(served);
      const second = await sallyport('serve', '--config', configuration, '--json');
      assert.notEqual(second.code, 0);
      assert.match(second.stderr, /running already/);
      assert.equal(await logSize(served), size);
    });

    await t.test('ends by SIGTERM with exit code 0 and a log that verifies', async () => {
      await served.stop();
      assert.equal(served.process.exitCode, 0);
      const verified = await sallyportHere('log', 'verify', '--config', configuration);
      assert.equal(verified.code, 0, verified.stdout);
    });
  });
});

describe('the command line', () => {
  test('has help for itself and for each command, on standard output, with exit code 0', async () => {
    const root = await sallyport('--help');
    assert.deepEqual([root.code, root.stderr], [0, '']);
    for (const command of ['init', 'serve', 'device', 'secret', 'request', 'certificate', 'log', 'policy']) {
      assert.match(root.stdout, new RegExp(`^  ${command}\\b`, 'm'));
    }
    const deep = await sallyportHere('secret', 'create', '--help');
    assert.deepEqual([deep.code, deep.stderr], [0, '']);
    assert.match(deep.stdout, /Examples:[^]*Exit codes:/);
  });

  for (const [words, code, said] of [
    [['nonsense'], 2, /unknown command 'nonsense'/],
    [['init', '--port-base', 'x'], 2, /port-base/],
    [['serve', '--config', '/nonexistent/sallyport.yaml'], 3, /cannot be read/],
  ] as const) {
    test(`\`${words.join(' ')}\` ends with exit code ${code} and one line on standard error`, async () => {
      const result = await sallyport(...words);
      assert.deepEqual([result.code, result.stdout], [code, '']);
      assert.match(result.stderr, said);
      assert.equal(result.stderr.trimEnd().split('\n').length, 1);
    });
  }
});
