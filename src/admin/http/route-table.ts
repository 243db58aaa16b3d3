import type { ActName } from '../acts.ts';
import { routes } from '../routes.ts';

export interface Located {
  readonly name: ActName;
  /** The parts of the path that the route has in braces. */
  readonly parameters: Readonly<Record<string, string>>;
}

interface Route {
  readonly name: ActName;
  readonly method: 'GET' | 'POST';
  readonly parts: readonly string[];
}

const table: readonly Route[] = (Object.entries(routes) as [ActName, string][]).map(([name, route]) => {
  const [method, path] = route.split(' ') as ['GET' | 'POST', string];
  return { name, method, parts: path.split('/') };
});

/** The act at this path; `null` where no act is; the methods that would do where only the method is wrong. */
export function locate(method: string, path: string): Located | { readonly allow: readonly string[] } | null {
  const parts = path.split('/');
  const candidates = table.flatMap((route) => {
    const parameters = matchParts(route.parts, parts);
    return parameters === null ? [] : [{ name: route.name, method: route.method, parameters }];
  });
  const found = candidates.find((candidate) => candidate.method === method);
  if (found !== undefined) return { name: found.name, parameters: found.parameters };
  return candidates.length === 0 ? null : { allow: candidates.map((candidate) => candidate.method) };
}

/** How a client asks for the act. */
export function requestFor(name: ActName, input: Readonly<Record<string, unknown>>) {
  const rest = new Map(Object.entries(input).filter(([, value]) => value !== undefined));
  const { method, parts } = table.find((route) => route.name === name)!;
  const path = parts
    .map((part) => {
      if (!isParameter(part)) return part;
      const key = part.slice(1, -1);
      const value = String(rest.get(key));
      rest.delete(key);
      return encodeURIComponent(value);
    })
    .join('/');
  if (method === 'POST') return { method, path, body: JSON.stringify(Object.fromEntries(rest)) };
  const query = new URLSearchParams([...rest].map(([key, value]) => [key, String(value)]));
  return { method, path: query.size === 0 ? path : `${path}?${query.toString()}`, body: null };
}

function matchParts(route: readonly string[], parts: readonly string[]): Record<string, string> | null {
  if (route.length !== parts.length) return null;
  const parameters: Record<string, string> = {};
  for (const [at, expected] of route.entries()) {
    const part = parts[at]!;
    if (!isParameter(expected)) {
      if (part !== expected) return null;
      continue;
    }
    const value = decodePart(part);
    if (value === null || value === '') return null;
    parameters[expected.slice(1, -1)] = value;
  }
  return parameters;
}

function isParameter(part: string): boolean {
  return part.startsWith('{');
}

function decodePart(part: string): string | null {
  try {
    return decodeURIComponent(part);
  } catch {
    return null;
  }
}
