import { chmodSync, closeSync, existsSync, openSync } from 'node:fs';

/** SQLite gives the files that it makes beside the database (-wal, -shm) the database's own permissions. */
const ownerOnly = 0o600;

/** Creates the database's file, or narrows who may read it and the files beside it. */
export function makePrivate(file: string): void {
  closeSync(openSync(file, 'a', ownerOnly));
  for (const each of [file, `${file}-wal`, `${file}-shm`]) {
    if (existsSync(each)) chmodSync(each, ownerOnly);
  }
}
