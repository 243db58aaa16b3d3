import * as cedar from '@cedar-policy/cedar-wasm/nodejs';

import { SallyportError } from '#errors';

import type { Facts } from './facts.ts';

/** The one file that speaks to Cedar: text and facts in, plain values out. */

export type PolicyJson = cedar.PolicyJson;
export type Entity = cedar.TypeAndId;

export interface ParsedPolicy {
  /** As written, without the comments before it. */
  readonly text: string;
  readonly json: PolicyJson;
}

export interface PolicyProblem {
  readonly id: string;
  readonly message: string;
}

export type Answer =
  | {
      readonly type: 'answer';
      /** Ids of the permits that apply; empty where a forbid objects. */
      readonly permitting: readonly string[];
      /** Ids of the forbids that object. */
      readonly objecting: readonly string[];
      /** Ids of the policies that could not be evaluated. Cedar skips these: whoever asks must count them. */
      readonly errors: readonly string[];
    }
  /** The facts do not fit the schema, or Cedar broke down. */
  | { readonly type: 'failure' };

/** The policies of a text in the order of the page. Throws 'policy' with line and column. */
export function parsePolicies(text: string): ParsedPolicy[] {
  const parts = guarded(() => cedar.policySetTextToParts(text));
  if (parts.type === 'failure') throw parseError(text, parts.errors);
  if (parts.policy_templates.length > 0) {
    throw new SallyportError(
      'policy',
      'policies: slots (?principal, ?resource) are not supported, name the entity',
    );
  }
  return pageOrder(parts.policies).map((policy) => {
    const answer = guarded(() => cedar.policyToJson(policy));
    if (answer.type === 'failure') throw parseError(policy, answer.errors);
    return { text: policy, json: answer.json };
  });
}

/** Everything the validator finds, warnings too: it warns of a policy that can never apply, and of look-alike letters. */
export function validatePolicies(
  schemaText: string,
  policies: Readonly<Record<string, string>>,
): PolicyProblem[] {
  const answer = guarded(() =>
    cedar.validate({ schema: schemaText, policies: { staticPolicies: { ...policies } } }),
  );
  if (answer.type === 'failure') {
    return answer.errors.map(({ message }) => ({ id: 'policies', message }));
  }
  return [...answer.validationErrors, ...answer.validationWarnings].map(({ policyId, error }) => ({
    id: policyId,
    message: error.help === null ? error.message : `${error.message} (${error.help})`,
  }));
}

/** Keeps a parsed schema inside Cedar, and gives its JSON form. */
export function prepareSchema(name: string, text: string): cedar.NamespaceDefinition<string> {
  const prepared = guarded(() => cedar.preparseSchema(name, text));
  if (prepared.type === 'failure') throw parseError(text, prepared.errors);
  const answer = guarded(() => cedar.schemaToJsonWithResolvedTypes(text));
  const namespace = answer.type === 'success' ? answer.json[''] : undefined;
  if (namespace === undefined) {
    throw new SallyportError('internal', 'the schema of the policies cannot be read');
  }
  return namespace;
}

/** Keeps parsed policies inside Cedar under a name. The same name again replaces them. */
export function preparePolicies(name: string, policies: Readonly<Record<string, string | PolicyJson>>): void {
  const answer = guarded(() => cedar.preparsePolicySet(name, { staticPolicies: { ...policies } }));
  if (answer.type === 'failure') {
    throw new SallyportError('policy', `policies: ${answer.errors.map(({ message }) => message).join('; ')}`);
  }
}

/** Never throws: what Cedar cannot do is a failure, and a failure is no permission. */
export function ask(schemaName: string, policiesName: string, facts: Omit<Facts, 'reasons'>): Answer {
  try {
    const answer = cedar.statefulIsAuthorized({
      principal: { type: 'DeviceClass', id: facts.deviceClass },
      action: { type: 'Action', id: facts.action },
      resource: { type: 'Template', id: facts.template },
      context: facts.context as cedar.Context,
      preparsedSchemaName: schemaName,
      preparsedPolicySetId: policiesName,
      validateRequest: true,
      entities: [],
    });
    if (answer.type === 'failure') return { type: 'failure' };
    const { decision, diagnostics } = answer.response;
    return {
      type: 'answer',
      permitting: decision === 'allow' ? diagnostics.reason : [],
      objecting: decision === 'allow' ? [] : diagnostics.reason,
      errors: diagnostics.errors.map(({ policyId }) => policyId),
    };
  } catch {
    return { type: 'failure' };
  }
}

/** Stands for any value in a partial context. */
export const unknownValue = { __extn: { fn: 'unknown', arg: 'any' } } as const;

export type PartialValue = string | boolean | readonly string[] | typeof unknownValue;
/** Groups of facts of which some, or all, are unknown. */
export type PartialContext = Readonly<
  Record<string, Readonly<Record<string, PartialValue>> | typeof unknownValue>
>;

/** Whether a forbid objects whatever the unknown values, the action, the device class and the template are. */
export function objectsRegardless(policy: PolicyJson, context: PartialContext): boolean {
  const answer = guarded(() =>
    cedar.isAuthorizedPartial({
      principal: null,
      action: null,
      resource: null,
      context: context as cedar.Context,
      policies: { staticPolicies: { policy } },
      entities: [],
    }),
  );
  return answer.type === 'residuals' && answer.response.satisfied.includes('policy');
}

/** Cedar names policies policy0, policy1, … as they come, then sorts by that name: policy10 before policy2. */
function pageOrder(sorted: readonly string[]): string[] {
  const names = sorted.map((_, index) => `policy${index}`).sort();
  const byName = new Map(names.map((name, index) => [name, sorted[index] ?? '']));
  return sorted.map((_, index) => byName.get(`policy${index}`) ?? '');
}

function guarded<T>(work: () => T): T {
  try {
    return work();
  } catch (cause) {
    throw new SallyportError('policy', 'policies: Cedar could not process them', { cause });
  }
}

function parseError(text: string, errors: readonly cedar.DetailedError[]): SallyportError {
  const words = errors.map(({ message, sourceLocations }) => {
    const [location] = sourceLocations ?? [];
    if (location === undefined) return message;
    const expected = location.label === null ? '' : `, ${location.label}`;
    return `${position(text, location.start)}: ${message}${expected}`;
  });
  return new SallyportError('policy', `policies: ${words.join('; ')}`);
}

/** Cedar counts bytes of UTF-8; people count lines and columns. */
function position(text: string, byteOffset: number): string {
  const before = Buffer.from(text).subarray(0, byteOffset).toString();
  const lines = before.split('\n');
  return `line ${lines.length}, column ${(lines.at(-1) ?? '').length + 1}`;
}
