import { setTimeout } from 'node:timers/promises';
import type { AdminStore, NodeInForce } from '#admin';
import type { SteadyClock } from '#enrollment';
import { SallyportError } from '#errors';

/** What a node judges by: digests of references and policies. */
export type InForce = Pick<NodeInForce, 'references' | 'policies'>;

/** A node that has not said for so long that it lives is dead, and its name free. */
const heldMilliseconds = 6_000;
export const announceMilliseconds = 2_000;

/** This process under its name, among those that share the database. */
export interface Node {
  /** Resolves when another process has the name: two of one name would each take what is the other's. */
  readonly failed: Promise<SallyportError>;
  /** The others, as they were found last, and where what they judge by differs from what was announced here. */
  others(): readonly { readonly name: string; readonly differs: readonly string[] }[];
  /** Says that this process lives, and what it judges by from now on. Returns what differs, in words. Throws 'config' where the name is lost. */
  announce(inForce: InForce): Promise<readonly string[]>;
  /** Gives the name back. */
  leave(): Promise<void>;
}

export interface NodePorts {
  readonly name: string;
  /** Of this process alone. */
  readonly holder: string;
  readonly store: Pick<AdminStore, 'holdNode' | 'releaseNode' | 'references'>;
  readonly clock: SteadyClock;
  readonly report: (fault: { id: string; error: unknown }) => void;
  readonly sleep?: (milliseconds: number) => Promise<unknown>;
}

/**
 * Takes the name. Whoever has it may have crashed a moment ago: so long it is waited for; one that says meanwhile that it lives is another process
 * of this name, and this one does not start. Throws 'config' then.
 */
export async function joinNodes(ports: NodePorts, inForce: InForce): Promise<Node> {
  const { name, holder, store, clock, report, sleep = setTimeout } = ports;
  const hold = async (by: InForce, now = clock.now()) => {
    const standing = await store.holdNode({ name, holder, now, until: now + heldMilliseconds, ...by });
    for (const { until } of standing.others) clock.hear(until - heldMilliseconds);
    return standing;
  };
  const { promise: failed, resolve } = Promise.withResolvers<SallyportError>();
  let others: { name: string; differs: readonly string[] }[] = [];
  let heldBefore: number | null = null;
  let waited = 0;
  for (;;) {
    // Who has said nothing for so long is dead, whatever the clock says: behind the log it stands still.
    const isSilent = heldBefore !== null && waited >= heldMilliseconds;
    const { takenUntil, others: found } = await hold(
      inForce,
      isSilent ? Math.max(heldBefore!, clock.now()) : clock.now(),
    );
    if (takenUntil === null) {
      others = await compare(found, inForce, store);
      break;
    }
    if (heldBefore !== null && takenUntil > heldBefore) throw taken(name);
    if (heldBefore === null) report({ id: 'node', error: waiting(name, takenUntil - clock.now()) });
    heldBefore = takenUntil;
    const pause = Math.min(1000, Math.max(50, takenUntil - clock.now()));
    await sleep(pause);
    waited += pause;
  }
  return {
    failed,
    others: () => others,
    async announce(by) {
      const { takenUntil, others: found } = await hold(by);
      if (takenUntil !== null) {
        const error = taken(name);
        resolve(error);
        throw error;
      }
      others = await compare(found, by, store);
      return differences(others);
    },
    leave: () => store.releaseNode({ name, holder }),
  };
}

/** In words for an operator; empty: all nodes judge alike. */
export function differences(others: ReturnType<Node['others']>): readonly string[] {
  return others.flatMap(({ name, differs }) =>
    differs.length === 0 ? [] : [`node ${name} judges otherwise: ${differs.join(', ')}`],
  );
}

async function compare(
  found: readonly NodeInForce[],
  own: InForce,
  store: Pick<AdminStore, 'references'>,
): Promise<{ name: string; differs: readonly string[] }[]> {
  return Promise.all(
    found.map(async ({ name, references, policies }) => ({
      name,
      differs: [
        ...(references === own.references
          ? []
          : await differingMembers(
              await store.references(own.references),
              await store.references(references),
            )),
        ...(policies === own.policies ? [] : ['policies']),
      ],
    })),
  );
}

/** Where two bodies of references differ: `deviceClasses.laptop`. */
async function differingMembers(own: Uint8Array | null, other: Uint8Array | null): Promise<string[]> {
  if (own === null || other === null) return ['references'];
  const [one, two] = [own, other].map((body) => JSON.parse(Buffer.from(body).toString('utf8')) as unknown);
  return differing(one, two, 2).map((path) => path.join('.'));
}

function differing(one: unknown, two: unknown, depth: number): string[][] {
  // Canonical JSON on both sides: what is equal is written alike.
  if (JSON.stringify(one) === JSON.stringify(two)) return [];
  if (depth === 0 || !isMap(one) || !isMap(two)) return [[]];
  const names = [...new Set([...Object.keys(one), ...Object.keys(two)])].toSorted();
  return names.flatMap((name) => differing(one[name], two[name], depth - 1).map((path) => [name, ...path]));
}

function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function taken(name: string): SallyportError {
  return new SallyportError(
    'config',
    `another process serves as node ${name}: give each a name of its own (database.postgres.node)`,
  );
}

function waiting(name: string, milliseconds: number): SallyportError {
  return new SallyportError(
    'store',
    `node ${name} was not ended, or another process serves as it: waiting ${Math.max(1, Math.ceil(milliseconds / 1000))} s for its name`,
  );
}
