import assert from 'node:assert/strict';
import { before, describe, test, type TestContext } from 'node:test';
import { documentOf } from '#audit';
import {
  anyPorts,
  type AuthorityFiles,
  initAuthority,
  sallyportHere,
  type ServedAuthority,
  serveAuthority,
} from '../harness/authority.ts';
import { suiteCleanup } from '../harness/cleanup.ts';
import { makeKey } from '../harness/csr.ts';
import { entriesOf, logSize } from '../harness/entries.ts';
import { TamperedAuthority } from '../harness/tampering.ts';
import { TestDevice } from '../harness/test-device.ts';

type Json = Record<string, unknown>;

/** An insider who can write the database, and even sign checkpoints, uses erasure to hide what was done. */
describe('an illegitimate issuance, and erasing it', () => {
  const cleanup = suiteCleanup();
  let original: AuthorityFiles;

  before(async () => {
    original = await initAuthority(cleanup, anyPorts);
    const authority = await serveAuthority(original);
    const device = await TestDevice.enrolled(authority, 'ida-laptop');
    assert.equal((await device.enroll({ key: makeKey() })).status, 401);
    await TestDevice.enrolled(authority, 'eva-laptop');
    await authority.admin.client.perform('retireDevice', { id: 'ida-laptop' });
    await authority.stop();
  });

  const issued = ({ outcome }: Json) => outcome === 'issued';

  /** The secret was not known, and the certificate was issued all the same: the entry says what it should have said. */
  const makeIllegitimate = (entry: Json): Json => {
    const observations = structuredClone(entry['observations']) as { secret: { id: string | null } };
    observations.secret.id = null;
    return { ...entry, observations };
  };

  async function tampered(t: TestContext, work: (copy: TamperedAuthority, index: number) => void) {
    const copy = await TamperedAuthority.copyOf(original, t);
    work(copy, copy.indexOf(issued));
    await copy.signCheckpoint(copy.rehash());
    return copy;
  }

  async function findings({ configuration }: TamperedAuthority) {
    const { code, stdout } = await sallyportHere('log', 'verify', '--json', '--config', configuration);
    const { findings: found } = JSON.parse(stdout) as { findings: { index: number; message: string }[] };
    return { code, found: found.map(({ index, message }) => `${index} ${message}`).join('\n') };
  }

  async function eraseOn(t: TestContext, copy: TamperedAuthority): Promise<{ code: number; stderr: string }> {
    const served = await serveAuthority({ ...copy, trust: original.trust });
    t.after(() => served.stop());
    const size = await logSize(served);
    const result = await sallyportHere('device', 'erase', 'ida-laptop', '--config', copy.configuration);
    if (result.code !== 0) assert.equal(await logSize(served), size);
    await served.stop();
    return result;
  }

  const withoutDocument = (copy: TamperedAuthority, index: number) =>
    copy.write((database) => {
      const { bytes } = database.prepare('select bytes from log_entry where idx = ?').get(index)!;
      const rows = database.prepare('select address, salt, bytes from blob where log_idx = ?').all(index);
      const leaf = JSON.parse(Buffer.from(bytes as Uint8Array).toString()) as Json;
      const { address } = documentOf(leaf, rows as never[])!;
      database
        .prepare('delete from blob where log_idx = ? and address = ?')
        .run(index, address as Uint8Array);
    });

  test('is refused: what does not verify is not erased, and stays a finding', async (t) => {
    const copy = await tampered(t, (files, index) => files.rewriteEntry(index, makeIllegitimate));
    const { code, stderr } = await eraseOn(t, copy);
    assert.equal(code, 1);
    assert.match(
      stderr,
      /entry \d+ does not verify, so nothing is erased: judged again, it comes out otherwise/,
    );
    assert.match((await findings(copy)).found, /comes out otherwise/);
  });

  test('by deleting its document by hand is a finding, and no erasure covers it afterwards', async (t) => {
    const copy = await tampered(t, (files, index) => {
      files.rewriteEntry(index, makeIllegitimate);
      withoutDocument(files, index);
    });
    const before = await findings(copy);
    assert.equal(before.code, 5);
    assert.match(before.found, /personal fields are not there, and its certification request is/);
    const { code, stderr } = await eraseOn(t, copy);
    assert.equal(code, 1);
    assert.match(stderr, /does not verify, so nothing is erased/);
    assert.equal((await findings(copy)).code, 5);
  });

  test('by deleting all that is beside it by hand is a finding, and no erasure covers it afterwards', async (t) => {
    const copy = await tampered(t, (files, index) => {
      files.rewriteEntry(index, makeIllegitimate);
      files.write((database) => database.prepare('delete from blob where log_idx = ?').run(index));
    });
    assert.match((await findings(copy)).found, /not there, and no act erased them/);
    const { code, stderr } = await eraseOn(t, copy);
    assert.equal(code, 1);
    assert.match(stderr, /not there, and no act erased them/);
    assert.equal((await findings(copy)).code, 5);
  });

  test('with a certificate exchanged for another is refused', async (t) => {
    const copy = await tampered(t, (files, index) =>
      files.write((database) => {
        const other = database.prepare('select der from certificate where log_idx <> ?').get(index)!;
        database
          .prepare('update certificate set der = ? where log_idx = ?')
          .run(other['der'] as Uint8Array, index);
      }),
    );
    const { code, stderr } = await eraseOn(t, copy);
    assert.equal(code, 1);
    assert.match(stderr, /certificate [0-9a-f]+ is not what entry \d+ says/);
  });

  test('of a device that took a certificate from another device is refused', async (t) => {
    const copy = await tampered(t, (files) =>
      files.write((database) =>
        database.exec("update certificate set device_id = 'ida-laptop' where device_id = 'eva-laptop'"),
      ),
    );
    const { code, stderr } = await eraseOn(t, copy);
    assert.equal(code, 1);
    assert.match(stderr, /is not what entry \d+ says/);
  });

  test('is not needed by what is in order: that is erased, and verifies', async (t) => {
    const copy = await tampered(t, () => {});
    const { code, stderr } = await eraseOn(t, copy);
    assert.equal(code, 0, stderr);
    assert.deepEqual(await findings(copy), { code: 0, found: '' });
  });

  test('put back from a backup afterwards is a finding', async (t) => {
    const copy = await tampered(t, () => {});
    const index = copy.indexOf(issued);
    const beside = copy.write((database) =>
      database.prepare('select * from blob where log_idx = ?').all(index),
    );
    assert.equal((await eraseOn(t, copy)).code, 0);
    copy.write((database) => {
      const insert = database.prepare('insert into blob (log_idx, address, salt, bytes) values (?, ?, ?, ?)');
      for (const { address, salt, bytes } of beside) {
        insert.run(index, address as Uint8Array, salt as Uint8Array, bytes as Uint8Array);
      }
    });
    const { code, found } = await findings(copy);
    assert.equal(code, 5);
    assert.match(found, /entry \d+ erased its personal fields, and they are there: put back from a backup/);
  });
});

describe('a device that goes on asking while it is erased', () => {
  const cleanup = suiteCleanup();
  let authority: ServedAuthority;

  before(async () => {
    authority = await serveAuthority(
      await initAuthority(cleanup, (yaml) =>
        anyPorts(yaml).replaceAll(
          /\{ burst: \d+, count: \d+, period: \w+ \}/g,
          '{ burst: 100000, count: 100000, period: 1s }',
        ),
      ),
    );
    cleanup.after(() => authority.stop());
  });

  test('is erased whole, or not: nothing of it is left from before the act', async () => {
    const { client } = authority.admin;
    const device = await TestDevice.enrolled(authority, 'ida-laptop');
    const other = await TestDevice.enrolled(authority, 'eva-laptop');
    await device.newSecret();
    await client.perform('retireDevice', { id: 'ida-laptop' });
    const asking = new AbortController();
    const outcomes = new Set<number>();
    const ask = async (request: () => Promise<{ status: number }>) => {
      while (!asking.signal.aborted) outcomes.add((await request()).status);
    };
    const clients = [
      ask(() => device.enroll()),
      ask(() => device.renew()),
      ask(() => device.enroll({ secret: 'wrong' })),
      ask(() => other.enroll({ secret: 'wrong' })),
    ];
    const erased = await client.perform('eraseDevice', { id: 'ida-laptop' }).finally(() => asking.abort());
    await Promise.all(clients);
    assert.equal(outcomes.has(200), false);
    const before = (await entriesOf(authority)).slice(0, erased.logIndex);
    assert.ok(before.length > 10);
    assert.doesNotMatch(JSON.stringify(before), /ida-laptop/);
    const { code, stdout } = await sallyportHere(
      'log',
      'verify',
      '--json',
      '--config',
      authority.configuration,
    );
    assert.equal(code, 0, stdout);
    assert.deepEqual(
      (await client.perform('listCertificates', { device: erased.as })).items.map(({ device: of }) => of),
      [erased.as],
    );
  });

  test('takes nothing from devices whose values look like its id', async () => {
    const { client } = authority.admin;
    // Words that stand in every entry.
    for (const id of ['commonName', 'utf8', 'device', 'laptop']) {
      await authority.admin.device(id);
      await client.perform('retireDevice', { id });
      const { entries } = await client.perform('eraseDevice', { id });
      assert.equal(entries, 2, id);
    }
  });
});
