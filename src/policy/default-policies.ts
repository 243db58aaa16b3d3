import { readFileSync } from 'node:fs';

/** The text of default.cedar, the page on which the whole defense is read. */
export function defaultPolicies(): string {
  return readFileSync(new URL('default.cedar', import.meta.url), 'utf8');
}
