import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { suite, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { createSqlite, openSqlite } from '#storage';
import { origin, temporaryFile, verifiedIds } from '../storage.fixture.ts';

const program = fileURLToPath(new URL('./endless-writer.fixture.ts', import.meta.url));

/** Runs the writer until it has acknowledged so many entries, and kills it in the midst of the next. */
async function acknowledgedBeforeKill(file: string, run: string, count: number): Promise<string[]> {
  const child = spawn(process.execPath, [program, file, run], { stdio: ['ignore', 'pipe', 'inherit'] });
  const closed = once(child, 'close');
  let output = '';
  child.stdout.setEncoding('utf8');
  child.stdout.on('data', (text: string) => {
    output += text;
    if (output.split('\n').length > count) child.kill('SIGKILL');
  });
  const [, signal] = (await closed) as [number | null, string | null];
  assert.equal(signal, 'SIGKILL');
  // The last line may be cut.
  return output.split('\n').slice(0, -1);
}

suite('a writer killed in the midst of it', () => {
  test('leaves a log that verifies, with every entry that it acknowledged', async (t) => {
    const file = temporaryFile(t);
    await (await createSqlite({ file, origin })).close();
    const acknowledged: string[] = [];
    for (const [run, count] of [
      ['first', 1],
      ['second', 300],
      ['third', 800],
    ] as const) {
      acknowledged.push(...(await acknowledgedBeforeKill(file, run, count)));
      const storage = await openSqlite({ file, origin });
      const ids = new Set(await verifiedIds(storage.log));
      await storage.close();
      assert.deepEqual(
        acknowledged.filter((id) => !ids.has(id)),
        [],
      );
    }
    assert.ok(acknowledged.length > 1_100);
  });
});
