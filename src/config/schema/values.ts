import { isIP } from 'node:net';
import * as z from 'zod';
import { isSallyportError } from '#errors';
import { parseCidr } from '#limits';
import { durationForm, formatDuration, parseDuration } from '../duration.ts';

// `form` in the metadata is the type that docs/configuration.md shows.

/** Seconds, from `90d`. Bounds are durations themselves. */
export function duration(minimum: string, maximum: string) {
  const [least, most] = [parseDuration(minimum), parseDuration(maximum)];
  return z
    .string({ error: ({ input }) => (input === undefined ? undefined : durationForm) })
    .transform((text, context) => {
      const seconds = attempt(() => parseDuration(text), context);
      if (seconds < least) context.addIssue(`must be at least ${formatDuration(least)}`);
      if (seconds > most) context.addIssue(`must be at most ${formatDuration(most)}`);
      return seconds;
    })
    .meta({ form: `duration, ${minimum} to ${maximum}` });
}

/** Relative paths count from the folder of sallyport.yaml. */
export const path = z
  .string()
  .min(1, 'a path is not empty')
  .max(4096)
  .regex(/^[^\p{Cc}]*$/u, 'a path has no control characters')
  .meta({ form: 'path' });

/** The name of an entry: short enough for URLs, labels and log lines. */
export const entryName = z
  .string()
  .regex(
    /^[a-z0-9][a-z0-9-]{0,62}$/,
    'a name has lower-case letters, digits and hyphens, begins with no hyphen, and has at most 63 characters',
  );

/** A map from names to entries, at least one. */
export function entries<Entry extends z.ZodType>(entry: Entry, name: z.ZodType<string, string> = entryName) {
  return z.record(name, entry).refine((map) => Object.keys(map).length > 0, 'must have at least one entry');
}

/** A list in which nothing stands twice. */
export function distinct<Item extends z.ZodType<string>>(item: Item, least = 1, whenFewer?: string) {
  return z
    .array(item)
    .min(least, whenFewer)
    .superRefine((items, context) => {
      for (const [index, value] of items.entries()) {
        if (items.indexOf(value) < index) {
          context.addIssue({ code: 'custom', path: [index], message: 'stands here twice' });
        }
      }
    });
}

/** At most `count` events in `period`, of which `burst` may come at once. */
export const rate = z
  .strictObject({
    burst: z.int().min(1).max(1_000_000).describe('How many may come at once.'),
    count: z.int().min(1).max(1_000_000_000).describe('How many are regained in a period.'),
    period: duration('1s', '366d').describe('The period.'),
  })
  .transform(({ burst, count, period }) => ({ burst, count, periodSeconds: period }))
  .meta({ form: 'rate' });

export const ipAddress = z
  .string()
  .refine((text) => isIP(text) !== 0, 'must be an IPv4 or IPv6 address')
  .meta({ form: 'IP address' });

export const port = z.int().min(0).max(65_535).meta({ form: 'port' });

export const cidr = z
  .string()
  .superRefine((text, context) => {
    attempt(() => parseCidr(text), context);
  })
  .meta({ form: 'CIDR' });

export const oid = z
  .string()
  .regex(
    /^(?:[01]\.(?:[0-9]|[1-3][0-9])|2\.(?:0|[1-9][0-9]{0,9}))(?:\.(?:0|[1-9][0-9]{0,17})){1,30}$/,
    'must be a dotted OID',
  )
  .meta({ form: 'OID' });

/** The value of a parser that throws a SallyportError; its message becomes the issue. */
function attempt<Value>(parse: () => Value, context: z.RefinementCtx): Value {
  try {
    return parse();
  } catch (error) {
    if (!isSallyportError(error)) throw error;
    context.addIssue(error.message);
    return z.NEVER;
  }
}
