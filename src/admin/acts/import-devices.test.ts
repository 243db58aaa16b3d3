import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { sha256Hex } from '#enrollment';
import { SallyportError } from '#errors';
import { ada, detailOf, openWorld, refusedWith, type World } from '../admin.fixture.ts';

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

suite('import of a long list', () => {
  const ids = Array.from({ length: 2_500 }, (_, at) => `device-${at}`);
  const list = JSON.stringify(ids.map((id) => ({ id, class: 'laptop', serial_number: `S-${id}` })));
  const long = { format: 'json' as const, list, approveFor: ['device'] };

  const partsOf = async (world: World, from: number) => {
    const details: Record<string, unknown>[] = [];
    for (let at = from; at < (await world.size()); at += 1) details.push(await detailOf(world, at));
    return details.map(({ count, part }) => ({ count, part }));
  };
  const there = async (world: World) => {
    const found = await Promise.all(ids.map((id) => world.storage.admin.device(id)));
    return found.filter((device) => device !== null).length;
  };

  test('is several acts, each with its entry, and one report of all', async (t) => {
    const world = await openWorld(t);
    const report = await world.admin.perform('importDevices', ada, long);
    assert.deepEqual(report, {
      imported: true,
      devices: 2_500,
      created: 2_500,
      updated: 0,
      approvedFor: ['device'],
      approvals: 2_500,
      problems: [],
      logIndex: 3,
    });
    assert.deepEqual(await partsOf(world, 1), [
      { count: 1_000, part: { first: 1, of: 2_500 } },
      { count: 1_000, part: { first: 1_001, of: 2_500 } },
      { count: 500, part: { first: 2_001, of: 2_500 } },
    ]);
    const details = await Promise.all([1, 2, 3].map((index) => detailOf(world, index)));
    for (const { listSha256, devices } of details) {
      assert.equal(listSha256, sha256Hex(Buffer.from(list)));
      assert.equal(devices, null);
    }
    assert.notEqual(await world.approval('device-2499', 'device'), null);
  });

  test('lets others write between its acts', async (t) => {
    const world = await openWorld(t);
    const state = { done: false };
    const importing = world.admin.perform('importDevices', ada, long).finally(() => (state.done = true));
    let between = 0;
    for (; !state.done; between += 1) await world.importDevice(`other-${between}`);
    await importing;
    const counts = (await partsOf(world, 1)).map(({ count }) => count);
    const [first, last] = [counts.indexOf(1_000), counts.indexOf(500)];
    assert.ok(counts.slice(first, last).includes(1), counts.join());
  });

  test('is refused whole for what stands in its last row, or against a device of another part', async (t) => {
    const world = await openWorld(t);
    await world.admin.perform('importDevices', ada, {
      format: 'csv',
      list: 'id,class,serial_number\nheld,laptop,S-device-2400\n',
    });
    const held = await world.admin.perform('importDevices', ada, long);
    assert.match(held.problems[0]!.message, /S-device-2400, which is that of device held/);
    const rows = JSON.parse(list) as { id: string; class: string; serial_number: string }[];
    const doubled = [
      { id: 'device-1', class: 'laptop' },
      { id: 'z', class: 'laptop', serial_number: 'S-device-1' },
    ];
    const report = await world.admin.perform('importDevices', ada, {
      ...long,
      list: JSON.stringify([...rows, ...doubled]),
    });
    assert.deepEqual(
      report.problems.filter(({ row }) => row !== null).map(({ row, column }) => ({ row, column })),
      [
        { row: 2_501, column: 'id' },
        { row: 2_502, column: 'serial_number' },
      ],
    );
    assert.equal(await there(world), 0);
    assert.equal(await world.size(), 2);
  });

  test('that breaks off says how many were imported, and is finished by the same list', async (t) => {
    const world = await openWorld(t);
    const { importDevices } = world.storage.admin;
    const failAt = (at: number, error: Error) => {
      let acts = 0;
      t.mock.method(
        world.storage.admin,
        'importDevices',
        async (act: Parameters<typeof importDevices>[0]) => {
          acts += 1;
          if (acts === at) throw error;
          return importDevices(act);
        },
      );
    };
    const taken = new SallyportError('conflict', 'device x has the serial number of device y');
    failAt(1, taken);
    await assert.rejects(
      world.admin.perform('importDevices', ada, long),
      refusedWith('conflict', /^device x/),
    );
    failAt(3, taken);
    await assert.rejects(
      world.admin.perform('importDevices', ada, long),
      refusedWith(
        'conflict',
        /^2000 of 2500 devices were imported, .*: device x has .* Import the same list/,
      ),
    );
    assert.equal(await there(world), 2_000);
    failAt(2, new TypeError('of ours'));
    await assert.rejects(
      world.admin.perform('importDevices', ada, long),
      refusedWith('store', /^1000 of 2500 devices were imported, .*: a fault of the authority, /),
    );
    assert.equal(world.faults.length, 1);
    t.mock.restoreAll();
    const report = await world.admin.perform('importDevices', ada, long);
    assert.deepEqual([report.created, report.updated, report.approvals], [500, 2_000, 2_500]);
    assert.equal(await there(world), 2_500);
  });
});
