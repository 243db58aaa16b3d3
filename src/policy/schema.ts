import { readFileSync } from 'node:fs';

import { SallyportError } from '#errors';

import { prepareSchema } from './cedar.ts';
import { actions, type Action, type Context } from './facts.ts';

export type Group = keyof Context;

export interface Attribute {
  readonly name: string;
  readonly type: 'boolean' | 'string' | 'strings';
}

/** What schema.cedarschema says, as values: no other place lists which facts belong to which action. */
export interface Schema {
  readonly text: string;
  /** The groups that the context of each action may hold. */
  readonly groupsOf: Readonly<Record<Action, readonly Group[]>>;
  readonly attributesOf: Readonly<Record<Group, readonly Attribute[]>>;
}

/** The name under which Cedar keeps the parsed schema. */
export const schemaName = 'facts';

let loaded: Schema | undefined;

/** Read and parsed once in each thread. */
export function loadSchema(): Schema {
  loaded ??= parseSchema(readFileSync(new URL('schema.cedarschema', import.meta.url), 'utf8'));
  return loaded;
}

/** As it was before these groups came. */
export function withoutGroups(schema: Schema, groups: readonly Group[]): Schema {
  const { admit, enroll, renew } = schema.groupsOf;
  const rest = (offered: readonly Group[]) => offered.filter((group) => !groups.includes(group));
  return { ...schema, groupsOf: { admit: rest(admit), enroll: rest(enroll), renew: rest(renew) } };
}

interface Type {
  readonly type: string;
  readonly attributes?: Readonly<Record<string, Type>>;
}

function parseSchema(text: string): Schema {
  const namespace = prepareSchema(schemaName, text);
  const groupsOf: Partial<Record<Action, Group[]>> = {};
  const attributesOf: Partial<Record<Group, Attribute[]>> = {};
  for (const action of actions) {
    const context: Type | undefined = namespace.actions[action]?.appliesTo?.context;
    groupsOf[action] = Object.keys(context?.attributes ?? {}) as Group[];
    for (const group of groupsOf[action]) {
      const named = context?.attributes?.[group]?.type ?? '';
      attributesOf[group] = attributes(namespace.commonTypes?.[named]);
    }
  }
  return { text, groupsOf, attributesOf } as Schema;
}

function attributes(record: Type | undefined): Attribute[] {
  return Object.entries(record?.attributes ?? {}).map(([name, { type }]) => ({
    name,
    type: attributeType(type),
  }));
}

function attributeType(cedarType: string): Attribute['type'] {
  switch (cedarType) {
    case 'Bool':
      return 'boolean';
    case 'String':
      return 'string';
    case 'Set':
      return 'strings';
    default:
      throw new SallyportError(
        'internal',
        `the schema of the policies has a type nobody derives: ${cedarType}`,
      );
  }
}
