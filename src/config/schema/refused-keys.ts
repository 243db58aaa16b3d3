import * as z from 'zod';

/** Keys that look right somewhere but are refused there, with the reason that an operator reads. */
export const refusedKeys = z.registry<{ readonly reasons: Readonly<Record<string, string>> }>();
