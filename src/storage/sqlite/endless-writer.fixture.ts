import { openSqlite, type Storage } from '#storage';
import { entry, now, origin, wide } from '../storage.fixture.ts';

/** Appends until it is killed. Each id is printed when, and only when, its entry is acknowledged. */
async function main(file: string, run: string): Promise<void> {
  const storage = await openSqlite({ file, origin });
  await Promise.all([1, 2, 3, 4].map((writer) => append(storage, `${run}-${writer}`)));
}

async function append(storage: Storage, prefix: string): Promise<never> {
  for (let i = 0; ; i += 1) {
    const id = `${prefix}-${i}`;
    await storage.enrollment.admit({ sourceKey: `source ${i}`, limit: wide, now });
    await storage.enrollment.record(entry(id));
    process.stdout.write(`${id}\n`);
  }
}

if (import.meta.main) await main(process.argv[2] ?? '', process.argv[3] ?? '');
