import { after } from 'node:test';
import type { Cleanup } from './authority.ts';

/** Ends what a suite began, the last first. Call it in the suite's own body. */
export function suiteCleanup(): Cleanup {
  const ends: (() => Promise<void> | void)[] = [];
  after(async () => {
    for (const end of ends.splice(0).reverse()) await end();
  });
  return { after: (end) => void ends.push(end) };
}
