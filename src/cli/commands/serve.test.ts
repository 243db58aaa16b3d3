import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { before, suite, test } from 'node:test';
import {
  anyPorts,
  type AuthorityFiles,
  command,
  initAuthority,
  sallyport,
} from '../../../test/harness/authority.ts';
import { suiteCleanup } from '../../../test/harness/cleanup.ts';

suite('serve', { timeout: 120_000 }, () => {
  const cleanup = suiteCleanup();
  let files: AuthorityFiles;
  let good: string;
  let served: ChildProcess;
  let words: AsyncIterator<string>;

  before(async () => {
    files = await initAuthority(cleanup, anyPorts);
    good = await readFile(files.configuration, 'utf8');
    served = spawn(command, ['serve', '--config', files.configuration, '--json'], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    cleanup.after(() => void served.kill('SIGKILL'));
    words = createInterface({ input: served.stderr! })[Symbol.asyncIterator]();
    await once(createInterface({ input: served.stdout! }), 'line');
  });

  /** Puts a configuration in place and sends SIGHUP; what the authority says to it. */
  const reload = async (text: string): Promise<string> => {
    await writeFile(files.configuration, text);
    served.kill('SIGHUP');
    return (await words.next()).value as string;
  };
  const longestLifetime = async (): Promise<string> => {
    const create = ['secret', 'create', '--device', 'laptop-7', '--template', 'device', '--lifetime', '90d'];
    const { code, stderr } = await sallyport(...create, '--config', files.configuration);
    assert.equal(code, 2);
    return /60 to (\d+) seconds/.exec(stderr)![1]!;
  };

  test('SIGHUP with a mistake in the file leaves the running configuration in force, and says where', async () => {
    const list = `${files.directory}/devices.csv`;
    await writeFile(list, 'id,class\nlaptop-7,laptop\n');
    assert.equal((await sallyport('device', 'import', list, '--config', files.configuration)).code, 0);
    const said = await reload(good.replace('maximumLifetime: 7d', 'maximumLifetime: 2h\n  nonsense: 1'));
    assert.match(said, /stays as it was.*sallyport\.yaml:\d+:\d+.*nonsense/);
    await writeFile(files.configuration, good);
    assert.equal(await longestLifetime(), String(7 * 86_400));
  });

  test('SIGHUP with a good file puts it in force', async () => {
    assert.match(
      await reload(good.replace('maximumLifetime: 7d', 'maximumLifetime: 2h')),
      /read again: secrets/,
    );
    assert.equal(await longestLifetime(), '7200');
    assert.match(await reload(good), /read again: secrets/);
    assert.match(await reload(good), /nothing changed/);
  });

  test('what needs a restart is refused whole', async () => {
    const said = await reload(
      good.replace('maximumLifetime: 7d', 'maximumLifetime: 2h').replace(/^( +port:) 0$/m, '$1 1'),
    );
    assert.match(said, /restart is needed/);
    await writeFile(files.configuration, good);
    assert.equal(await longestLifetime(), String(7 * 86_400));
  });

  test('a second authority of the same folder is refused, and the log is none the worse', async () => {
    const { code, stdout, stderr } = await sallyport('serve', '--config', files.configuration, '--json');
    assert.notEqual(code, 0);
    assert.equal(stdout, '');
    assert.match(stderr, /^sallyport: /m);
    const verified = await sallyport('log', 'verify', '--config', files.configuration);
    assert.equal(verified.code, 0, verified.stdout);
  });

  test('SIGINT ends it with exit code 0', async () => {
    const exited = once(served, 'exit');
    served.kill('SIGINT');
    assert.deepEqual(await exited, [0, null]);
  });
});

test('serve with a wrong passphrase: exit code 3, one line, nothing of the key', async (t) => {
  const files = await initAuthority({ after: (end) => t.after(end) }, anyPorts);
  await writeFile(`${files.directory}/secrets/passphrase`, 'wrong\n');
  const { code, stdout, stderr } = await sallyport('serve', '--config', files.configuration, '--json');
  assert.equal(code, 3);
  assert.equal(stdout, '');
  assert.match(stderr, /^sallyport: [^\n]+passphrase[^\n]*\n$/);
});
