import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { defaultPolicies, requiredControls } from '#policy';
import { openDesk } from '../terminal.fixture.ts';

test('policy check lists the controls of the policies in force', async (t) => {
  const desk = await openDesk(t);
  await desk.run('init', '--yes');
  const { code, out } = await desk.run('policy', 'check', '--json');
  assert.equal(code, 0);
  const { ok, controls } = JSON.parse(out) as { ok: boolean; controls: { id: string; title: string }[] };
  assert.equal(ok, true);
  for (const id of requiredControls.enroll) {
    assert.ok(controls.some((control) => control.id === id && control.title !== ''));
  }
});

test('policies that could open the door are refused with exit code 3 and the name of the control', async (t) => {
  const desk = await openDesk(t);
  await desk.run('init', '--yes');
  const weakened = defaultPolicies().replace('@id("device-known")', '@id("device-knwon")');
  await writeFile(join(desk.folder, 'weak.cedar'), weakened);
  const { code, out, err } = await desk.run('policy', 'check', 'weak.cedar');
  assert.equal(code, 3);
  assert.equal(out, '');
  assert.match(err, /^sallyport: .*device-known/s);
});

test('a file that is not there is a wrong argument', async (t) => {
  const desk = await openDesk(t);
  await desk.run('init', '--yes');
  assert.equal((await desk.run('policy', 'check', 'no-such.cedar')).code, 2);
});
