import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { before, describe, test } from 'node:test';
import {
  anyPorts,
  initAuthority,
  sallyportHere,
  type ServedAuthority,
  serveAuthority,
} from '../harness/authority.ts';
import { suiteCleanup } from '../harness/cleanup.ts';
import { assertRefused, entryOf } from '../harness/expect.ts';
import { TestDevice } from '../harness/test-device.ts';

const own = `
@id("iot-renews-by-evidence")
@title("Devices without a screen renew by evidence only")
forbid (principal == DeviceClass::"iot", action == Action::"renew", resource)
unless { context has evidence && context.evidence.verified };

@id("server-seen")
@title("Whoever asks for a server certificate is looked at")
@hold
forbid (principal, action == Action::"enroll", resource == Template::"server")
unless { context has approval && context.approval.granted && context.approval.lifts.contains("server-seen") };
`;

/** An operator's own controls object under their own ids, and are replayed from the page that was in force. */
describe('an additional policy', () => {
  const cleanup = suiteCleanup();
  let authority: ServedAuthority;
  let initial: string;
  before(async () => {
    const files = await initAuthority(cleanup, (yaml) => {
      initial = anyPorts(yaml);
      return `${initial}\npolicy:\n  additional: [own.cedar]\n`;
    });
    await writeFile(path.join(files.directory, 'own.cedar'), own);
    authority = await serveAuthority(files);
    cleanup.after(() => authority.stop());
  });

  let devices = 0;
  const iot = () =>
    TestDevice.enrolled(authority, `iot-${(devices += 1)}`, { deviceClass: 'iot', template: 'iot' });
  const verify = () => sallyportHere('log', 'verify', '--json', '--config', authority.configuration);

  test('objects with 403, and its id and title stand in the log', async () => {
    const device = await iot();
    const answer = await device.renew();
    const entry = await assertRefused(authority, answer, 403, ['iot-renews-by-evidence']);
    assert.match(answer.text, /^This request is not allowed\./);
    assert.equal(entry.verdict.objections[0]!.title, 'Devices without a screen renew by evidence only');
  });

  test('touches nobody else', async () => {
    const laptop = await TestDevice.enrolled(authority, 'laptop-1');
    assert.equal((await laptop.renew()).status, 200);
  });

  const server = (make: typeof TestDevice.expected) => {
    const id = `server-${(devices += 1)}`;
    return make(authority, id, {
      deviceClass: 'server',
      template: 'server',
      identifiers: { dnsName: `${id}.example.org` },
    });
  };
  async function assertHeld(device: TestDevice, controls: readonly string[]): Promise<string> {
    const answer = await device.enroll();
    assert.equal(answer.status, 202, answer.text);
    const { objections } = (await entryOf(authority, answer)).verdict;
    assert.deepEqual(
      objections.map(({ control, liftable }) => [control, liftable]),
      controls.map((control) => [control, true]),
    );
    const { items } = await authority.admin.client.perform('listRequests', { state: 'pending', limit: 1000 });
    return items.find((request) => request.device === device.id)!.id;
  }

  test('with @hold waits for an operator, whose approval lifts it by its name', async () => {
    const device = await server(TestDevice.unapproved);
    const id = await assertHeld(device, ['first-enrollment', 'server-seen']);
    const { lifts } = await authority.admin.client.perform('approveRequest', { id });
    assert.deepEqual(lifts, ['first-enrollment', 'server-seen']);
    assert.equal((await device.enroll()).status, 200);
  });

  test('with @hold is not lifted by an approval beforehand, which names the built-in controls only', async () => {
    await assertHeld(await server(TestDevice.expected), ['server-seen']);
  });

  test('with @hold, once lifted, leaves an approval beforehand in force', async () => {
    const device = await server(TestDevice.expected);
    const id = await assertHeld(device, ['server-seen']);
    await authority.admin.client.perform('approveRequest', { id });
    assert.equal((await device.enroll()).status, 200);
  });

  test('with @hold looks at a request that comes again as well, and an approval lets it have the same certificate', async () => {
    const device = await server(TestDevice.unapproved);
    const approve = async (id: string) => authority.admin.client.perform('approveRequest', { id });
    await approve(await assertHeld(device, ['first-enrollment', 'server-seen']));
    const { certificates: first } = await device.enroll();
    await approve(await assertHeld(device, ['server-seen']));
    const again = await device.enroll();
    assert.equal(again.status, 200, again.text);
    assert.deepEqual(again.certificates, first);
  });

  test('is replayed from the page of its day, also when it is no longer in force', async () => {
    const device = await iot();
    assert.equal((await device.renew()).status, 403);
    const before = await verify();
    assert.equal(before.code, 0, before.stdout);
    await writeFile(authority.configuration, initial);
    authority.process.kill('SIGHUP');
    await authority.said(/configuration read again: policy\.additional/);
    assert.equal((await device.renew()).status, 200);
    const after = await verify();
    assert.equal(after.code, 0, after.stdout);
  });
});
