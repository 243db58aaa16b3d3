import { chmod, cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { gunzipSync } from 'node:zlib';
import type { AuthorityFiles, Cleanup } from './authority.ts';

const recorded = path.resolve(import.meta.dirname, '../fixtures/authority-of-schema-14');

/** After the last entry of its log. */
export const afterwards = Date.UTC(2026, 10, 27);

/** A copy of the authority that an earlier version left, which nobody has upgraded. */
export async function earlierAuthority(cleanup: Cleanup): Promise<AuthorityFiles> {
  const parent = await mkdtemp(path.join(tmpdir(), 'sallyport-earlier-'));
  cleanup.after(() => rm(parent, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 }));
  const directory = path.join(parent, 'authority');
  await cp(recorded, directory, { recursive: true });
  await mkdir(path.join(directory, 'run'), { mode: 0o700 });
  // Git keeps no modes, and secrets that others can read are refused.
  for (const folder of ['keys', 'secrets', 'operators']) {
    for (const name of await readdir(path.join(directory, folder))) {
      await chmod(path.join(directory, folder, name), 0o600);
    }
  }
  const database = path.join(directory, 'data/sallyport.db');
  await writeFile(database, gunzipSync(await readFile(`${database}.gz`)), { mode: 0o600 });
  await rm(`${database}.gz`);
  return {
    directory,
    configuration: path.join(directory, 'sallyport.yaml'),
    trust: path.join(directory, 'pki/trust.pem'),
  };
}
