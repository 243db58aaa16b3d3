import * as z from 'zod';
import { isOperatorName } from './operator.ts';

/** As the inventory has them. */
export const deviceId = z
  .string()
  .regex(/^[A-Za-z0-9._:-]{1,64}$/, 'is no device id: 1 to 64 of A-Z a-z 0-9 . _ : -');
export const templateName = z.string().min(1).max(128);
/** Formed as an operator's, without the colon that tells the two apart in the log. */
export const machineName = z
  .string()
  .refine(isOperatorName, 'is no name of a machine: 1 to 64 of A-Z a-z 0-9 . _ @ -, a letter or digit first');
export const tokenLifetime = z.int().positive().nullable().default(null);
/** Of a request, secret or log entry. */
export const identifier = z.string().min(1).max(64);
/** Why an operator did it, for the log. */
export const remark = z.string().min(1).max(500).nullable().default(null);

/** A number that may come out of a URL's query. */
function count(minimum: number, maximum: number) {
  const digits = z
    .string()
    .regex(/^\d{1,16}$/, 'is no number')
    .transform(Number);
  return z.union([z.number(), digits]).pipe(z.int().min(minimum).max(maximum));
}

export const maximumPage = 1000;
/** Lists are given out page by page: `after` is the `next` of the page before. */
export const page = {
  after: z.string().min(1).max(256).optional(),
  limit: count(1, maximumPage).default(100),
};

export const logIndex = count(0, Number.MAX_SAFE_INTEGER);
export const entryCount = count(1, 200);
