import type { MachineScope } from '#admin';
import type * as z from 'zod';
import type { ApiPorts, Call, Refusal, Reply } from './call.ts';

/** Something that a machine can ask for. */
export interface Route {
  readonly method: 'GET' | 'POST';
  /** Parts in braces are parameters. */
  readonly path: `/${string}`;
  /** What the log calls it. */
  readonly act: string;
  readonly summary: string;
  /** null: any machine may. */
  readonly scope: MachineScope | null;
  /** What a machine without the scope is shown instead of a problem. */
  readonly forbidden?: Reply;
  /** Takes HTTP Basic beside Bearer. */
  readonly basic?: true;
  /** Its entry is that of its act, in the transaction of what it changed. */
  readonly changes?: true;
  /** What it takes by query (GET) or in the body (POST), and what it answers: for the OpenAPI document. null: not JSON of ours. */
  readonly input: z.ZodObject | null;
  readonly output: z.ZodType | null;
  readonly run: (ports: ApiPorts, call: Call) => Promise<Reply | Refusal>;
}

export interface Located {
  readonly route: Route;
  readonly parameters: Readonly<Record<string, string>>;
}

/** Letters, digits and hyphens, as ids and templates here are: nothing is decoded, resolved or normalised, so that a path has one form. */
const parameter = /^[A-Za-z0-9._-]{1,128}$/;

/** The route at this path; `null` where none is; the methods that would do where only the method is wrong. */
export function locate(
  routes: readonly Route[],
  method: string,
  path: string,
): Located | { readonly allow: readonly string[] } | null {
  const parts = path.split('/');
  const found = routes.flatMap((route) => {
    const parameters = matchParts(route.path.split('/'), parts);
    return parameters === null ? [] : [{ route, parameters }];
  });
  const located = found.find(({ route }) => route.method === method);
  if (located !== undefined) return located;
  return found.length === 0 ? null : { allow: found.map(({ route }) => route.method) };
}

function matchParts(expected: readonly string[], parts: readonly string[]): Record<string, string> | null {
  if (expected.length !== parts.length) return null;
  const parameters: Record<string, string> = {};
  for (const [at, name] of expected.entries()) {
    const part = parts[at]!;
    if (!name.startsWith('{')) {
      if (part !== name) return null;
    } else if (parameter.test(part)) {
      parameters[name.slice(1, -1)] = part;
    } else {
      return null;
    }
  }
  return parameters;
}
