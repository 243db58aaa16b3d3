import type { Entity, PolicyJson } from './cedar.ts';
import { actions, type Action } from './facts.ts';

/** What a policy reads, found in its parsed form. */
export interface Reading {
  /** Paths into the context: `key.strong`; `key` where the group is used whole; '' where all of the context is. */
  readonly facts: ReadonlySet<string>;
  /** Groups whose facts or whose presence are read. */
  readonly groups: ReadonlySet<string>;
  /** Device classes and templates named. */
  readonly entities: readonly Entity[];
  /** A `when` clause reads the context. */
  readonly whenReadsFacts: boolean;
  /** The actions it applies to, by its scope. */
  readonly actions: readonly Action[];
}

export function readPolicy({ principal, action, resource, conditions }: PolicyJson): Reading {
  const conditional = new Reader();
  const whens = new Reader();
  for (const { kind, body } of conditions) {
    conditional.read(body);
    if (kind === 'when') whens.read(body);
  }
  const scope = new Reader();
  scope.scope(principal);
  scope.scope(resource);
  return {
    facts: conditional.facts,
    groups: conditional.groups,
    entities: [...scope.entities, ...conditional.entities].filter(({ type }) => type !== 'Action'),
    whenReadsFacts: whens.readsContext,
    actions: actionsOf(action),
  };
}

type Json = Readonly<Record<string, unknown>>;

/** Walks Cedar's JSON form of expressions, in which each node is an object of one key: the form of the expression. */
class Reader {
  readonly facts = new Set<string>();
  readonly groups = new Set<string>();
  readonly entities: Entity[] = [];
  readsContext = false;

  read(node: unknown): void {
    const path = contextPath(node);
    if (path !== null) return this.fact(path);
    if (!isObject(node)) return;
    for (const [form, operand] of Object.entries(node)) this.operand(form, operand);
  }

  scope(constraint: unknown): void {
    if (!isObject(constraint)) return;
    if (constraint['entity'] !== undefined) this.literal(constraint['entity']);
    this.scope(constraint['in']);
  }

  private operand(form: string, operand: unknown): void {
    if (form === 'Value') return this.literal(operand);
    if (form === 'has') return this.presence(operand);
    // The keys of a record literal are its author's, not forms.
    const operands = Array.isArray(operand) || isObject(operand) ? Object.values(operand) : [];
    for (const each of operands) this.read(each);
  }

  private fact(path: readonly string[]): void {
    this.readsContext = true;
    this.facts.add(path.slice(0, 2).join('.'));
    if (path[0] !== undefined) this.groups.add(path[0]);
  }

  /** `context has key` reads presence only, which every key of the memo carries. */
  private presence(operand: unknown): void {
    if (!isObject(operand)) return;
    const left = contextPath(operand['left']);
    if (left === null) return this.read(operand['left']);
    const attribute = operand['attr'];
    const path = [...left, ...(Array.isArray(attribute) ? attribute : [attribute]).map(String)];
    if (path.length > 1) return this.fact(path);
    this.readsContext = true;
    this.groups.add(path.join());
  }

  private literal(value: unknown): void {
    if (Array.isArray(value)) for (const each of value) this.literal(each);
    if (!isObject(value)) return;
    const { type, id } = value;
    if (typeof type === 'string' && typeof id === 'string') this.entities.push({ type, id });
    else for (const each of Object.values(value)) this.literal(each);
  }
}

/** `context.key.strong` as ['key', 'strong']; null for what is no path into the context. */
function contextPath(node: unknown): string[] | null {
  if (!isObject(node)) return null;
  if (node['Var'] === 'context') return [];
  const access = node['.'];
  if (!isObject(access) || typeof access['attr'] !== 'string') return null;
  const left = contextPath(access['left']);
  return left === null ? null : [...left, access['attr']];
}

function actionsOf(constraint: PolicyJson['action']): Action[] {
  if (constraint.op === 'All') return [...actions];
  const reader = new Reader();
  const entities = 'entities' in constraint ? constraint.entities : [];
  for (const entity of entities) reader.scope({ entity });
  reader.scope(constraint);
  const named = new Set(reader.entities.map(({ id }) => id));
  return actions.filter((action) => named.has(action));
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
