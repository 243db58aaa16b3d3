import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { findProgram, requireClient } from './clients.ts';

const root = path.resolve(import.meta.dirname, '..');

test('the demo goes as told with curl and openssl: every verdict in the table, and a log that proves it', async (t) => {
  if (requireClient(t, 'curl') === null || requireClient(t, 'openssl') === null) return;
  await goesAsTold(process.env['PATH']!);
});

test('it does so on a machine that has neither, and says so', async (t) => {
  const folder = await mkdtemp(path.join(tmpdir(), 'sallyport-path-'));
  t.after(() => rm(folder, { recursive: true }));
  // What the launcher needs.
  for (const name of ['dirname', 'readlink']) await symlink(findProgram(name)!, path.join(folder, name));
  const stdout = await goesAsTold(folder);
  assert.match(stdout, /^curl and openssl not found: the devices are processes of Node\.js instead\.$/m);
});

async function goesAsTold(PATH: string): Promise<string> {
  const { code, stdout, stderr } = await new Promise<{ code: unknown; stdout: string; stderr: string }>(
    (resolve) => {
      const words = ['--require', './src/runtime.cjs', 'demo/demo.ts', '--once'];
      execFile(
        path.join(root, 'node_modules/.bin/node'),
        words,
        { cwd: root, timeout: 120_000, env: { ...process.env, PATH } },
        (error, stdout, stderr) => {
          resolve({ code: error === null ? 0 : error.code, stdout, stderr });
        },
      );
    },
  );
  assert.equal(code, 0, stdout + stderr);

  const table = stdout.slice(stdout.indexOf('What the log says'));
  const verdicts = [...table.matchAll(/^ {2}(\S.*?) {2,}(allow|hold|deny|rejected) +(\S+) +(\d+)$/gm)];
  assert.deepEqual(
    verdicts.map(([, request, verdict, certificate]) => [request, verdict, certificate !== '-']),
    [
      ['ada-laptop enrolls with its secret', 'allow', true],
      ['ada-laptop renews with its certificate', 'allow', true],
      ['grace-laptop enrolls with its secret', 'hold', false],
      ['grace-laptop asks again, approved', 'allow', true],
      ['a thief with the secret of edsger-laptop', 'deny', false],
      ['barbara-laptop without evidence', 'deny', false],
      ['alan-scanner enrolls by SCEP', 'allow', true],
      ['alan-scanner renews by SCEP', 'allow', true],
      ['edith-scanner enrolls by SCEP', 'hold', false],
      ['edith-scanner polls, approved', 'allow', true],
      ['a thief with the challenge of hedy-scanner', 'deny', false],
      ['web-1 orders www.shop.internal', 'allow', true],
      ['web-1 orders the same names again', 'allow', true],
      ['a thief with the account of web-1', 'rejected', false],
      ['rosalind-laptop enrolls, attested', 'allow', true],
      ['a clone of rosalind-laptop', 'deny', false],
    ],
    table,
  );
  for (const control of ['first-enrollment', 'request-subject', 'attestation']) {
    assert.match(table, new RegExp(`^ {6}${control}: .+$`, 'm'));
  }
  assert.match(table, /ok: \d+ entries, every hash and every verdict computed again/);
  return stdout;
}
