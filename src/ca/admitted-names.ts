import { type GeneralName, generalNameKey } from '#x509';
import { type AlternativeName, canonicalRequestedName, isSidUri } from './alternative-name.ts';
import { ruleAdmits } from './requested-name-rule.ts';
import type { RequestedNameRule } from './template.ts';

/**
 * Of the requested names those that a rule admits and that are not built already. A name counts against the first
 * rule with room for it. A Microsoft SID is never admitted, whatever the rules say.
 */
export function admitRequestedNames(
  rules: readonly RequestedNameRule[],
  built: readonly AlternativeName[],
  requested: readonly GeneralName[],
): AlternativeName[] {
  if (rules.length === 0) return [];
  const known = new Set(built.map(generalNameKey));
  const room = rules.map(({ maximum }) => maximum);
  const admitted: AlternativeName[] = [];
  for (const asked of requested) {
    const name = canonicalRequestedName(asked);
    if (name === null || isSidUri(name) || known.has(generalNameKey(name))) continue;
    const index = rules.findIndex((rule, at) => (room[at] ?? 0) >= 1 && ruleAdmits(rule, name));
    if (index < 0) continue;
    room[index] = (room[index] ?? 0) - 1;
    known.add(generalNameKey(name));
    admitted.push(name);
  }
  return admitted;
}
