import { parseInput, parseJsonObject, parseQuery } from '#admin';
import { SallyportError } from '#errors';
import type * as z from 'zod';
import type { Call, Reply } from './call.ts';

/** What came over the wire, checked. Throws 'usage', 'malformed', 'too-large', 'unsupported'. */
export async function bodyOf<Schema extends z.ZodType>(
  call: Call,
  schema: Schema,
): Promise<z.output<Schema>> {
  if (call.query.size > 0) {
    throw new SallyportError('usage', 'a query has no place here: write it in the body');
  }
  return parseInput(schema, { ...(await jsonBody(call)), ...call.parameters });
}

export function queryOf<Schema extends z.ZodType>({ query }: Call, schema: Schema): z.output<Schema> {
  return parseInput(schema, parseQuery(query));
}

/** A browser sends other types without asking first; so what says nothing is not taken for JSON. */
export async function jsonBody(call: Call): Promise<Record<string, unknown>> {
  const body = await call.body();
  if (body.length > 0 && !/^application\/json(?:\s*;|$)/i.test(call.contentType ?? '')) {
    throw new SallyportError('unsupported', 'the body is to be application/json');
  }
  return parseJsonObject(body);
}

export function json(value: unknown): Reply {
  return { type: 'application/json', body: JSON.stringify(value) };
}
