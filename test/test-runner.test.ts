import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';

const script = new URL('../scripts/test.ts', import.meta.url).pathname;
const scratch = mkdtempSync(join(tmpdir(), 'sallyport-tests-'));
after(() => rmSync(scratch, { recursive: true }));

/** Writes test files and runs `npm test` over them. */
function npmTest(
  files: Record<string, string>,
  args: string[] = ['.'],
): { status: number | null; output: string } {
  const cwd = mkdtempSync(join(scratch, 'run-'));
  for (const [name, body] of Object.entries(files)) {
    writeFileSync(join(cwd, name), `import { test } from 'node:test';\n${body}`);
  }
  const environment = { ...process.env };
  // Node.js would take the inner run for a part of this one, and run nothing.
  delete environment['NODE_TEST_CONTEXT'];
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, ...args], {
    cwd,
    encoding: 'utf8',
    env: environment,
    timeout: 60_000,
  });
  return { status, output: stdout + stderr };
}

const passing = "test('holds', () => {});";
const failing = "test('breaks', () => { throw new Error('broken'); });";

test('a passing run ends with 0 and the closing lines of the runner', () => {
  const { status, output } = npmTest({ 'a.test.ts': passing });
  assert.equal(status, 0, output);
  assert.match(output, /tests 1\n/);
  assert.match(output, /pass 1\n/);
});

test('a failing test fails the run', () => {
  assert.equal(npmTest({ 'a.test.ts': passing, 'b.test.ts': failing }).status, 1);
});

test('a file that does not load fails the run', () => {
  assert.equal(npmTest({ 'a.test.ts': passing, 'b.test.ts': "import './not-there.ts';" }).status, 1);
});

test('skipped tests are listed under their reasons', () => {
  const skip = (name: string, reason: string) => `test('${name}', (t) => t.skip('${reason}'));\n`;
  const { status, output } = npmTest({
    'a.test.ts': passing + skip('asks', 'no curl') + skip('reads', 'no openssl'),
    'b.test.ts': skip('renews', 'no curl'),
  });
  assert.equal(status, 0, output);
  assert.match(output, /skipped \(2\): no curl\n {2}a\.test\.ts: asks\n {2}b\.test\.ts: renews\n/);
  assert.match(output, /skipped \(1\): no openssl\n {2}a\.test\.ts: reads\n/);
});

test('a run without a test fails', () => {
  assert.match(npmTest({}, ['nowhere']).output, /no test file matches nowhere/);
  assert.equal(npmTest({}, ['nowhere']).status, 1);
  assert.equal(npmTest({}, []).status, 1);
  assert.equal(npmTest({ 'a.test.ts': passing }, ['a.test.ts', '--name', 'nothing is called so']).status, 1);
});

test('a file without a test fails the run', () => {
  const { status, output } = npmTest({ 'a.test.ts': passing, 'b.test.ts': '' });
  assert.equal(status, 1);
  assert.match(output, /b\.test\.ts holds no test/);
});

test('files and name patterns choose what runs', () => {
  const { status, output } = npmTest({ 'a.test.ts': passing, 'b.test.ts': passing + failing }, [
    'b.test.ts',
    '--name',
    'holds',
  ]);
  assert.equal(status, 0, output);
  assert.match(output, /pass 1\n/);
});

test('a run ends when its time is up', () => {
  const slow = "test('waits', () => new Promise((done) => setTimeout(done, 60_000)));";
  const { status, output } = npmTest({ 'a.test.ts': passing, 'b.test.ts': slow }, ['.', '--minutes', '0.05']);
  assert.equal(status, 1);
  assert.match(output, /stopped after 0\.05 minutes/);
});
