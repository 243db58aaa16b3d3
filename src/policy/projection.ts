import type { Action, Context, Facts } from './facts.ts';
import type { Reading } from './reading.ts';
import type { Attribute, Group, Schema } from './schema.ts';

interface ProjectedAttribute extends Attribute {
  readonly read: boolean;
}

interface ProjectedGroup {
  readonly name: Group;
  readonly attributes: readonly ProjectedAttribute[];
}

/** The facts that can make a difference to a verdict of one bundle. */
export interface Projection {
  readonly digest: string;
  readonly groupsOf: Readonly<Record<Action, readonly ProjectedGroup[]>>;
}

/** Read by the judge itself, to know whether observing was complete, and whether to hold. */
const readByJudge = ['evidence.verified', 'approval.denied'];

export function project(digest: string, schema: Schema, readings: readonly Reading[]): Projection {
  const facts = new Set([...readByJudge, ...readings.flatMap((reading) => [...reading.facts])]);
  const isRead = (group: string, attribute: string): boolean =>
    facts.has(`${group}.${attribute}`) || facts.has(group) || facts.has('');
  const groups = (action: Action): ProjectedGroup[] =>
    schema.groupsOf[action].map((name) => ({
      name,
      attributes: schema.attributesOf[name].map((attribute) => ({
        ...attribute,
        read: isRead(name, attribute.name),
      })),
    }));
  return { digest, groupsOf: { admit: groups('admit'), enroll: groups('enroll'), renew: groups('renew') } };
}

/**
 * Two facts of one key get one verdict: the key holds the bundle, the question, the presence of every group, and every
 * fact that a policy reads. null for facts that do not fit the schema exactly: these are never remembered.
 */
export function memoKey({ digest, groupsOf }: Projection, facts: Facts): string | null {
  const { action, deviceClass, template, context } = facts;
  if (!Object.hasOwn(groupsOf, action)) return null;
  let key = JSON.stringify([digest, action, deviceClass, template]);
  let present = 0;
  for (const { name, attributes } of groupsOf[action]) {
    const group = context[name];
    if (group === undefined) {
      key += '|-';
      continue;
    }
    const part = groupKey(attributes, group);
    if (part === null) return null;
    key += part;
    present += 1;
  }
  return Object.keys(context).length === present ? key : null;
}

function groupKey(
  attributes: readonly ProjectedAttribute[],
  group: NonNullable<Context[Group]>,
): string | null {
  const values = group as Readonly<Record<string, unknown>>;
  if (values === null || Object.keys(values).length !== attributes.length) return null;
  let key = '|';
  for (const { name, type, read } of attributes) {
    const value = values[name];
    if (!fits(type, value)) return null;
    if (!read) continue;
    if (type === 'boolean') key += value === true ? '1' : '0';
    else key += JSON.stringify(value);
  }
  return key;
}

function fits(type: Attribute['type'], value: unknown): boolean {
  if (type !== 'strings') return typeof value === type;
  return Array.isArray(value) && value.every((each) => typeof each === 'string');
}
