import { entry, now, type Stores } from '../storage.fixture.ts';

/** A device of which no entry has anything personal. From then on it is `E-` and its id. */
export async function eraseWithoutPast({ admin, log }: Stores, id: string): Promise<void> {
  await admin.setDeviceState({ id, state: 'retired', now, entry: entry(`retired ${id}`) });
  const { size: lookedThrough } = await log.head();
  const acts = [entry(`A-1 ${id}`), entry(`A-2 ${id}`)] as const;
  await admin.eraseDevice({ id, as: `E-${id}`, entries: [], blobs: 0, lookedThrough, now: now + 1, acts });
}
