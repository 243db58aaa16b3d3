import * as z from 'zod';
import { codeOf } from './problem.ts';
import type { Route } from './route.ts';

type Shape = Readonly<Record<string, unknown>>;

const problemShape = {
  type: 'object',
  description: 'RFC 9457. `entry` is the id of the entry in the log that tells an operator why.',
  properties: {
    type: { const: 'about:blank' },
    title: { type: 'string' },
    status: { type: 'integer' },
    detail: { type: 'string' },
    code: { enum: Object.values(codeOf) },
    entry: { type: 'string' },
  },
  required: ['type', 'title', 'status', 'detail', 'code', 'entry'],
  additionalProperties: false,
};

const problems = {
  '400': 'The request is malformed.',
  '401': 'No machine has what was presented, or not any more, or not from there.',
  '403': 'The machine may not do this.',
  '404': 'There is no such thing, or none of this machine.',
  '409': 'The state is another: the device cannot enroll, the secret or key is void already.',
  '429': 'Too many calls, or too many that failed to authenticate; Retry-After says when to come again.',
  '503': 'The authority cannot answer now.',
} as const;

/** OpenAPI 3.1.0, whose schemas are JSON Schema 2020-12, of the very schemas that requests are checked by. */
export function openApi(routes: readonly Route[]): Shape {
  const paths: Record<string, Record<string, Shape>> = {};
  for (const route of routes) {
    paths[route.path] = { ...paths[route.path], [route.method.toLowerCase()]: operation(route) };
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Sallyport',
      version: '1',
      description:
        'What a machine can ask of the authority: one-time enrollment secrets and external account keys for devices.',
    },
    security: [{ token: [] }, { certificate: [] }],
    paths,
    components: {
      schemas: { Problem: problemShape },
      responses: Object.fromEntries(
        Object.entries(problems).map(([status, description]) => [
          `P${status}`,
          {
            description,
            content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
          },
        ]),
      ),
      securitySchemes: {
        token: { type: 'http', scheme: 'bearer' },
        certificate: { type: 'mutualTLS' },
      },
    },
  };
}

function operation({ act, summary, method, path, input, output, scope }: Route): Shape {
  const names = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name!);
  const shape = input === null ? null : jsonSchema(input, 'input');
  const members = (shape?.['properties'] ?? {}) as Readonly<Record<string, Shape>>;
  const inPath = names.map((name) => ({
    name,
    in: 'path',
    required: true,
    schema: members[name] ?? { type: 'string' },
  }));
  const rest = Object.entries(members).filter(([name]) => !names.includes(name));
  const inQuery =
    method === 'GET' ? rest.map(([name, schema]) => ({ name, in: 'query', required: false, schema })) : [];
  const required = ((shape?.['required'] ?? []) as readonly string[]).filter((name) => !names.includes(name));
  const body = { ...shape, properties: Object.fromEntries(rest), required };
  return {
    operationId: act,
    summary,
    ...(scope === null ? {} : { 'x-scope': scope }),
    parameters: [...inPath, ...inQuery],
    ...(method === 'POST' && shape !== null
      ? {
          requestBody: {
            required: required.length > 0,
            content: { 'application/json': { schema: body } },
          },
        }
      : {}),
    responses: {
      '200': {
        description: 'Done.',
        content: {
          'application/json': { schema: output === null ? { type: 'object' } : jsonSchema(output, 'output') },
        },
      },
      ...Object.fromEntries(
        Object.keys(problems).map((status) => [status, { $ref: `#/components/responses/P${status}` }]),
      ),
    },
  };
}

function jsonSchema(schema: z.ZodType, io: 'input' | 'output'): Shape {
  const { $schema: _, ...shape } = z.toJSONSchema(schema, { io }) as Record<string, unknown>;
  return shape;
}
