import * as z from 'zod';
import { act } from '../act.ts';

/** The bundle in force, which need not be the file's: a file that is refused leaves the running one in force. */
export const showPolicies = act(z.strictObject({}), async ({ authority }) => {
  const { bundle, referencesDigest } = authority();
  return {
    digest: bundle.digest,
    references: referencesDigest,
    controls: bundle.controls.map(({ id, title, liftable }) => ({ id, title, liftable })),
  };
});
