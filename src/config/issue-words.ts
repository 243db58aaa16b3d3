import type * as z from 'zod';
import { quote } from './problem.ts';
import { didYouMean } from './suggestion.ts';

/**
 * Words for an issue of the schema that brings none of its own. A value is repeated only where the schema lists what
 * may stand there: anything else may be a secret in the wrong place.
 */
export const issueWords: z.core.$ZodErrorMap = (issue) => {
  switch (issue.code) {
    case 'invalid_type':
      if (issue.input === undefined) return 'is required';
      return `expected ${kinds[issue.expected] ?? issue.expected}, found ${kindOf(issue.input)}`;
    case 'invalid_value':
      return oneOf(issue.input, issue.values.map(String));
    case 'invalid_union':
      if (!('options' in issue) || !Array.isArray(issue.options)) return undefined;
      return oneOf(discriminatorOf(issue), issue.options.map(String));
    case 'invalid_key':
      return issue.issues[0]?.message;
    case 'too_small':
      return `must ${boundWords(issue.origin, 'at least', issue.minimum)}`;
    case 'too_big':
      return `must ${boundWords(issue.origin, 'at most', issue.maximum)}`;
    default:
      return undefined;
  }
};

function oneOf(found: unknown, allowed: readonly string[]): string {
  const list = allowed.length === 1 ? `must be ${allowed[0]}` : `must be one of ${allowed.join(', ')}`;
  if (found === undefined) return `is required: ${list}`;
  if (typeof found !== 'string') return `${list}, found ${kindOf(found)}`;
  return `${list}, not ${quote(found)}${didYouMean(found, allowed)}`;
}

function discriminatorOf(issue: {
  readonly input?: unknown;
  readonly discriminator?: string | undefined;
}): unknown {
  const { input, discriminator } = issue;
  if (typeof input !== 'object' || input === null || discriminator === undefined) return undefined;
  return (input as Record<string, unknown>)[discriminator];
}

function boundWords(origin: string, direction: string, bound: number | bigint): string {
  if (origin === 'string') return `have ${direction} ${bound} characters`;
  if (origin === 'array') return `list ${direction} ${bound}`;
  return `be ${direction} ${bound}`;
}

const kinds: Readonly<Record<string, string>> = {
  object: 'a map',
  record: 'a map',
  array: 'a list',
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
};

function kindOf(value: unknown): string {
  if (value === null) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'a map';
  if (typeof value === 'string') return 'text';
  if (typeof value === 'boolean') return `${value} (put it in quotes where text is meant)`;
  return 'a number (put it in quotes where text is meant)';
}
