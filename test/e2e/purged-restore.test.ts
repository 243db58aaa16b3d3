import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { before, describe, test } from 'node:test';
import {
  anyPorts,
  type AuthorityFiles,
  initAuthority,
  serveAuthority,
  type ServedAuthority,
} from '../harness/authority.ts';
import { suiteCleanup } from '../harness/cleanup.ts';
import { backUp, loseDatabase, nameLog, restored } from '../harness/restoring.ts';
import { TestDevice } from '../harness/test-device.ts';

interface Line {
  readonly log: { readonly origin: string; readonly index: number; readonly leafHash: string };
  readonly entry: {
    readonly act?: string;
    readonly detail?: {
      readonly erased?: readonly { readonly indexes: readonly (readonly [number, number])[] }[];
    };
  };
}

/** As docs/adr/erasure.md has a receiver do it: of the entries that the act of erasure names, the leaves are left. */
function purged(lines: readonly Line[], leaves: ReadonlyMap<number, string>): string {
  const erased = lines.flatMap(({ entry }) => (entry.act === 'device.erase' ? entry.detail!.erased! : []));
  const ranges = erased.flatMap(({ indexes }) => indexes);
  return lines
    .map((line) => {
      const { origin, index, leafHash } = line.log;
      if (!ranges.some(([first, last]) => first <= index && index <= last)) return JSON.stringify(line);
      return `{"log":${JSON.stringify({ origin, index, leafHash })},"entry":${leaves.get(index)!}}`;
    })
    .map((line) => `${line}\n`)
    .join('');
}

describe('a device that was retired and erased after the backup, and purged from the copy of the log', () => {
  const cleanup = suiteCleanup();
  let files: AuthorityFiles;
  let served: ServedAuthority;
  let device: TestDevice;

  before(async () => {
    files = await initAuthority(cleanup, anyPorts);
    served = await serveAuthority(files);
    device = await TestDevice.enrolled(served, 'ida-laptop');
    const backup = await backUp(files, path.join(files.directory, '../backup.db'));
    await served.admin.client.perform('retireDevice', { id: 'ida-laptop' });
    assert.notEqual((await device.renew()).status, 200);
    await served.admin.client.perform('eraseDevice', { id: 'ida-laptop' });
    await served.stop();
    const database = new DatabaseSync(path.join(files.directory, 'data/sallyport.db'));
    const rows = database.prepare('select idx, bytes from log_entry').all();
    database.close();
    const leaves = new Map(
      rows.map(({ idx, bytes }) => [Number(idx), Buffer.from(bytes as Uint8Array).toString('utf8')]),
    );
    await loseDatabase(files, null);
    const siem = path.join(files.directory, 'log/events.ndjson');
    const lines = (await readFile(siem, 'utf8')).trimEnd().split('\n');
    await writeFile(
      siem,
      purged(
        lines.map((line) => JSON.parse(line) as Line),
        leaves,
      ),
    );
    const { origin, siemExport } = await restored(files, '--from', backup, '--siem-export', siem);
    assert.deepEqual([siemExport!.unproven, siemExport!.missing], [0, 0]);
    await nameLog(files, origin);
    served = await serveAuthority(files);
    cleanup.after(() => served.stop());
    device.moveTo(served);
  });

  test('renews nothing after a restore', async () => {
    const answer = await device.renew();
    assert.notEqual(answer.status, 200, 'it was renewed');
  });
});
