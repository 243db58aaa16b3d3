import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  accessSync,
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { after, test } from 'node:test';
import { findProgram } from './clients.ts';

const root = new URL('../', import.meta.url).pathname;
const runtime: { objection: (version: string) => string | null } = await import(`${root}src/runtime.cjs`);
const exConfig = 78;

const scratch = mkdtempSync(join(tmpdir(), 'sallyport launcher '));
after(() => rmSync(scratch, { recursive: true }));

/** A checkout with the real launcher and check, and a main.ts that tells what it was given. */
function checkOut(name: string, install: 'nothing' | 'all' | 'no scripts'): string {
  const folder = join(scratch, name);
  mkdirSync(join(folder, 'src'), { recursive: true });
  for (const file of ['package.json', 'sallyport', 'src/runtime.cjs']) {
    copyFileSync(root + file, join(folder, file));
  }
  writeFileSync(join(folder, 'src/main.ts'), 'console.log(JSON.stringify(process.argv.slice(2)) as string);');
  if (install !== 'nothing') mkdirSync(join(folder, 'node_modules/.bin'), { recursive: true });
  if (install === 'all') symlinkSync(process.execPath, join(folder, 'node_modules/.bin/node'));
  return folder;
}

function run(program: string, args: string[], options: { cwd?: string; PATH?: string } = {}) {
  const { cwd = '/', PATH = '/usr/bin:/bin' } = options;
  return spawnSync(program, args, { encoding: 'utf8', cwd, env: { PATH }, timeout: 30_000 });
}

/** A folder for PATH that holds a `node` which claims to be of another version, whatever is asked of it. */
function oldNode(version: string): string {
  const folder = mkdtempSync(join(scratch, 'bin-'));
  const preload = join(folder, 'pretend.cjs');
  writeFileSync(preload, `Object.defineProperty(process.versions, 'node', { value: '${version}' });`);
  writeFileSync(join(folder, 'node'), `#!/bin/sh\nexec '${process.execPath}' --require '${preload}' "$@"\n`);
  chmodSync(join(folder, 'node'), 0o755);
  return folder;
}

test('the launcher passes its arguments on, from any folder', () => {
  const folder = checkOut('whole', 'all');
  const { stdout, stderr, status } = run(join(folder, 'sallyport'), ['device', 'a b', '']);
  assert.deepEqual({ stdout, stderr, status }, { stdout: '["device","a b",""]\n', stderr: '', status: 0 });
  assert.equal(run('./sallyport', ['x'], { cwd: folder }).stdout, '["x"]\n');
  assert.equal(run('/bin/sh', ['sallyport', 'x'], { cwd: folder }).stdout, '["x"]\n');
});

test('the launcher works through symbolic links, absolute and relative, and on PATH', () => {
  const folder = checkOut('linked', 'all');
  const links = join(scratch, 'links');
  mkdirSync(links);
  symlinkSync(join(folder, 'sallyport'), join(links, 'absolute'));
  symlinkSync('absolute', join(links, 'relative'));
  assert.equal(run(join(links, 'relative'), ['x']).stdout, '["x"]\n');
  assert.equal(run('relative', ['x'], { PATH: `${links}${delimiter}/usr/bin:/bin` }).stdout, '["x"]\n');
});

test('without node_modules the launcher says in one line to run npm ci', () => {
  const folder = checkOut('bare', 'nothing');
  const { stderr, status } = run(join(folder, 'sallyport'), []);
  assert.equal(status, exConfig);
  assert.match(stderr, /^sallyport: nothing is installed in .*: run `npm ci` there first\.\n$/);
});

test('installed with --ignore-scripts, the launcher takes a Node.js of the machine that is new enough', () => {
  const folder = checkOut('ignored', 'no scripts');
  const bin = mkdtempSync(join(scratch, 'bin-'));
  symlinkSync(process.execPath, join(bin, 'node'));
  assert.equal(run(join(folder, 'sallyport'), ['x'], { PATH: `${bin}:/usr/bin:/bin` }).stdout, '["x"]\n');
});

test('installed with --ignore-scripts, the launcher refuses an older Node.js in one line', () => {
  const folder = checkOut('older', 'no scripts');
  const { stdout, stderr, status } = run(join(folder, 'sallyport'), ['x'], {
    PATH: `${oldNode('24.11.0')}:/usr/bin:/bin`,
  });
  assert.deepEqual({ stdout, status }, { stdout: '', status: exConfig });
  assert.match(
    stderr,
    /^sallyport: this is Node\.js 24\.11\.0, and 26\.0\.0 or newer is needed\. .*npm ci.*\n$/,
  );
});

test('the version that is needed is the one of package.json', () => {
  for (const version of ['26.0.0', '26.10.0', '27.0.0', '100.0.0']) {
    assert.equal(runtime.objection(version), null, version);
  }
  for (const version of ['25.9.9', '20.20.2', '8.0.0']) {
    assert.match(
      runtime.objection(version) ?? '',
      new RegExp(`this is Node\\.js ${version}, and 26\\.0\\.0`),
    );
  }
});

test('npm scripts check Node.js before they load TypeScript', () => {
  const { scripts } = JSON.parse(readFileSync(`${root}package.json`, 'utf8'));
  const unchecked = Object.entries<string>(scripts).filter(
    ([, line]) => line.includes('.ts') && !line.startsWith('node --require ./src/runtime.cjs '),
  );
  assert.deepEqual(unchecked, []);
});

test('an old Node.js of this machine gets the one line before it meets a .ts file', (t) => {
  const found = findProgram('node', withoutNodeModules(process.env['PATH'] ?? ''));
  const version = found === null ? null : run(found, ['--version']).stdout.trim().slice(1);
  if (found === null || version === null || runtime.objection(version) === null) {
    t.skip('this machine has no Node.js that is too old');
    return;
  }
  const { stderr, status } = run(found, ['--require', './src/runtime.cjs', 'scripts/test.ts'], { cwd: root });
  assert.equal(status, exConfig);
  assert.equal(stderr.trimEnd(), runtime.objection(version));
});

test('the launcher of this checkout may be executed', () => {
  accessSync(`${root}sallyport`, 1);
});

function withoutNodeModules(path: string): string {
  return path
    .split(delimiter)
    .filter((folder) => !folder.includes('node_modules'))
    .join(delimiter);
}
