import {
  objectsRegardless,
  type PartialContext,
  type PartialValue,
  type PolicyJson,
  unknownValue,
} from './cedar.ts';
import { controlTable, type Disproof } from './controls.ts';
import { defaultPolicies } from './default-policies.ts';
import type { PolicySet } from './policy-set.ts';
import { type Attribute, type Group, loadSchema } from './schema.ts';

/**
 * What no operator may lift for one request, no bundle may loosen for all: with its own fact disproven such a control
 * must object whatever the other facts are, for every device class and template. Cedar's partial evaluation decides it
 * for all other facts at once; where it cannot, the bundle is refused. That a whole group is absent need not be asked:
 * the judge itself objects to that, but for secret and identity, which the disproofs name.
 */
export function findWeakened({ controls }: PolicySet, builtIn: string = defaultPolicies()): string[] {
  const policies = new Map(controls.map(({ id, json }) => [id, json]));
  // A built-in control, to the letter, need not be asked at every start: a test asks all of them.
  const asBuilt = new Set(controls.filter(({ text }) => builtIn.includes(text)).map(({ id }) => id));
  return controlTable
    .filter(({ id }) => !asBuilt.has(id))
    .filter(({ id, disproofs }) => disproofs.some((disproof) => !withstands(policies.get(id), disproof)))
    .map(
      ({ id }) =>
        `${id} is weaker than required: it must object whenever its own fact is not proven, whatever else is proven`,
    );
}

/** That it applies to every action it is required for is seen on empty facts; here its conditions alone are asked. */
function withstands(policy: PolicyJson | undefined, disproof: Disproof): boolean {
  return policy !== undefined && objectsRegardless({ ...policy, action: { op: 'All' } }, contextOf(disproof));
}

function contextOf(disproof: Disproof): PartialContext {
  const { attributesOf } = loadSchema();
  const context: Record<string, PartialContext[string]> = {};
  for (const group of Object.keys(attributesOf) as Group[]) {
    const disproven = disproof[group];
    if (disproven === undefined) context[group] = unknownValue;
    else if (disproven !== null) context[group] = { ...unknownFacts(attributesOf[group]), ...disproven };
  }
  return context;
}

function unknownFacts(attributes: readonly Attribute[]): Record<string, PartialValue> {
  return Object.fromEntries(attributes.map(({ name }) => [name, unknownValue]));
}
