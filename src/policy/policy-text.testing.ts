import { defaultPolicies } from './default-policies.ts';

/** Ways to write and rewrite policy text for tests. */

/** The default policies with one policy replaced; by '' it is left out. */
export function withPolicy(
  id: string,
  replacement: string | ((policy: string) => string),
  text = defaultPolicies(),
): string {
  const start = text.indexOf(`@id("${id}")`);
  const end = text.indexOf(';', start) + 1;
  if (start < 0 || end <= start) throw new Error(`the default policies have no ${id}`);
  const policy = text.slice(start, end);
  const replaced = typeof replacement === 'string' ? replacement : replacement(policy);
  if (replaced === policy) throw new Error(`${id} was not changed`);
  return text.slice(0, start) + replaced + text.slice(end);
}

export function withoutPolicies(...ids: readonly string[]): string {
  return ids.reduce((text, id) => withPolicy(id, '', text), defaultPolicies());
}

/** The default policies and one more. */
export function withOwn(policy: string): string {
  return `${defaultPolicies()}\n${policy}`;
}

/** The exception of a control, `unless { … }`, rewritten. */
export function rewriteUnless(rewrite: (proof: string) => string): (policy: string) => string {
  return (policy) => policy.replace(/unless\s*\{(.*)\}\s*;$/s, (_, proof: string) => `${rewrite(proof)};`);
}
