import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { clients, findProgram } from './clients.ts';

const root = new URL('..', import.meta.url).pathname;

/** One test that needs curl, run where PATH leads nowhere. */
function runWithoutCurl(environment: Record<string, string>): { status: number | null; output: string } {
  const source = `
    import { test } from 'node:test';
    import { requireClient } from ${JSON.stringify(import.meta.resolve('./clients.ts'))};
    test('asks with curl', (t) => { if (requireClient(t, 'curl') === null) return; throw new Error('went on'); });`;
  const child = spawnSync(process.execPath, ['--input-type=module', '--eval', source], {
    encoding: 'utf8',
    env: { PATH: '/nowhere', ...environment },
    timeout: 30_000,
  });
  return { status: child.status, output: child.stdout };
}

test('a missing client skips the test and names the package', () => {
  const { status, output } = runWithoutCurl({});
  assert.equal(status, 0, output);
  assert.match(output, /curl is not installed \(Debian: curl\)/);
  assert.match(output, /skipped 1/);
});

test('a missing client fails the test where clients are required', () => {
  const { status, output } = runWithoutCurl({ SALLYPORT_REQUIRE_CLIENTS: '1' });
  assert.equal(status, 1, output);
  assert.match(output, /curl is not installed/);
});

test('a missing client that is excepted skips the test all the same', () => {
  const environment = { SALLYPORT_REQUIRE_CLIENTS: '1', SALLYPORT_EXCEPT_CLIENTS: 'jscep curl' };
  const { status, output } = runWithoutCurl(environment);
  assert.equal(status, 0, output);
  assert.match(output, /skipped 1/);
});

test('a program is found on PATH, a folder of its name is not', () => {
  assert.notEqual(findProgram('sh', '/nowhere:/bin'), null);
  assert.equal(findProgram('bin', '/'), null);
  assert.equal(findProgram('no-such-program'), null);
});

test('CI installs every package that a client needs, and requires the clients', () => {
  const script = readFileSync(`${root}.ci/run`, 'utf8');
  const isInstalled = (name: string) => new RegExp(`^  ${name}$`, 'm').test(script);
  assert.deepEqual(
    Object.values(clients)
      .flat()
      .filter((name) => !isInstalled(name)),
    [],
  );
  assert.match(script, /SALLYPORT_REQUIRE_CLIENTS=1/);
});
