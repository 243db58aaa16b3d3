import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { sha256Hex } from '#enrollment';
import { ada, detailOf, openWorld } from '../admin.fixture.ts';

suite('device import', () => {
  const csv = 'id,class,serial_number\nlaptop-7,laptop,C02X\ncam-1,iot,\n';

  test('a dry run reports and changes nothing', async (t) => {
    const world = await openWorld(t);
    const report = await world.admin.perform('importDevices', ada, {
      format: 'csv',
      list: csv,
      dryRun: true,
    });
    assert.deepEqual(report, {
      imported: false,
      devices: 2,
      created: 2,
      updated: 0,
      approvedFor: [],
      approvals: 0,
      problems: [],
      logIndex: null,
    });
    assert.equal(await world.storage.admin.device('laptop-7'), null);
    assert.equal(await world.size(), 1);
  });

  test('one bad row and nothing is imported; every bad row is named', async (t) => {
    const world = await openWorld(t);
    const list = 'id,class\nlaptop-7,laptop\nbad id,laptop\nlaptop-8,spaceship\n';
    const report = await world.admin.perform('importDevices', ada, { format: 'csv', list });
    assert.equal(report.imported, false);
    assert.deepEqual(
      report.problems.map(({ row }) => row),
      [3, 4],
    );
    assert.equal(await world.storage.admin.device('laptop-7'), null);
  });

  test('a serial number that another device has is a problem', async (t) => {
    const world = await openWorld(t);
    await world.admin.perform('importDevices', ada, { format: 'csv', list: csv });
    const list = 'id,class,serial_number\nlaptop-8,laptop,C02X\n';
    const report = await world.admin.perform('importDevices', ada, { format: 'csv', list });
    assert.equal(report.imported, false);
    assert.match(report.problems[0]!.message, /laptop-7/);
  });

  test('devices are approved beforehand for the templates that their class may have', async (t) => {
    const world = await openWorld(t);
    const approveFor = ['device', 'iot'];
    const report = await world.admin.perform('importDevices', ada, { format: 'csv', list: csv, approveFor });
    assert.equal(report.imported, true);
    assert.equal(report.approvals, 2);
    const approval = await world.approval('cam-1', 'iot');
    assert.deepEqual(approval?.lifts, ['class-approval', 'enrollment-again', 'first-enrollment']);
    assert.equal(approval?.spki, null);
    assert.equal(await world.approval('cam-1', 'device'), null);
  });

  test('a device that is active already is not approved again', async (t) => {
    const world = await openWorld(t);
    await world.importDevice('laptop-7');
    await world.issue('laptop-7');
    const input = { format: 'csv' as const, list: 'id,class\nlaptop-7,laptop\nlaptop-8,laptop\n' };
    for (const dryRun of [true, false]) {
      const again = { ...input, approveFor: ['device'], dryRun };
      const report = await world.admin.perform('importDevices', ada, again);
      assert.equal(report.imported, !dryRun);
      assert.equal(report.approvals, 1);
    }
    assert.equal(await world.approval('laptop-7', 'device'), null);
    assert.notEqual(await world.approval('laptop-8', 'device'), null);
  });

  test('a template that does not exist, or that no device of the list may have, is a problem', async (t) => {
    const world = await openWorld(t);
    for (const template of ['no-such', 'server']) {
      const input = { format: 'csv' as const, list: csv, approveFor: [template] };
      const report = await world.admin.perform('importDevices', ada, input);
      assert.equal(report.imported, false);
      assert.match(report.problems[0]!.message, new RegExp(template));
    }
  });

  test('a retired device cannot be approved by a list', async (t) => {
    const world = await openWorld(t);
    await world.importDevice('laptop-7');
    await world.admin.perform('retireDevice', ada, { id: 'laptop-7' });
    const input = { format: 'csv' as const, list: csv, approveFor: ['device'] };
    const report = await world.admin.perform('importDevices', ada, input);
    assert.match(report.problems[0]!.message, /retired/);
  });

  test('the entry has the ids of a short list, and of a long one the digest only', async (t) => {
    const world = await openWorld(t);
    const short = await world.admin.perform('importDevices', ada, { format: 'csv', list: csv });
    assert.deepEqual((await world.entry(short.logIndex!))['detail'], {
      listSha256: sha256Hex(Buffer.from(csv)),
      format: 'csv',
      count: 2,
      devices: ['laptop-7', 'cam-1'],
      approvedFor: [],
    });
    const rows = Array.from({ length: 501 }, (_, at) => `device-${at},laptop`);
    const long = await world.admin.perform('importDevices', ada, {
      format: 'csv',
      list: `id,class\n${rows.join('\n')}\n`,
    });
    assert.equal((await detailOf(world, long.logIndex!))['devices'], null);
  });
});
