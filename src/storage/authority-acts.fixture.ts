import fc from 'fast-check';
import type { Act, AuthorityModel } from './authority-model.fixture.ts';

/*
 * Acts that mostly make sense: of random ids nearly all would be refused. What an act is done to is chosen from what the model has when
 * its turn comes, and now and then something else is chosen.
 */

const kinds = [
  'create secret',
  'create secret',
  'void secret',
  'approve device',
  'hold',
  'hold',
  'approve request',
  'deny request',
  'end request',
  'reserve',
  'reserve',
  'reserve',
  'close',
  'close',
  'revoke',
  'abandon',
  'retire',
] as const;

export interface Draft {
  readonly kind: (typeof kinds)[number];
  readonly dice: readonly number[];
}

export const draft: fc.Arbitrary<Draft> = fc.record({
  kind: fc.constantFrom(...kinds),
  dice: fc.array(fc.nat({ max: 999 }), { minLength: 20, maxLength: 20 }),
});

export function actOf(model: AuthorityModel, { kind, dice }: Draft): Act | null {
  const throws = dice.values();
  const next = () => throws.next().value ?? 0;
  const oneOf = <T>(...things: readonly [T, ...T[]]): T => things[next() % things.length] ?? things[0];
  const rarely = () => next() % 8 === 0;
  const deviceId = () => oneOf('d1', 'd1', 'd2');
  const key = () => ({ spki: oneOf('k1', 'k1', 'k2'), names: oneOf('n1', 'n1', 'n1', 'n2') });
  /** A new id, or rarely one that is there. */
  const newId = (letter: string, known: ReadonlyMap<string, unknown>) =>
    rarely() ? oneOf(`${letter}0`, ...known.keys()) : `${letter}${known.size + 1}`;
  /** An id for which this holds, or rarely any. */
  const existing = <T>(known: ReadonlyMap<string, T>, holds: (thing: T) => boolean) => {
    const fitting = [...known].filter(([, thing]) => holds(thing)).map(([id]) => id);
    return rarely() || fitting.length === 0
      ? oneOf('unknown', ...known.keys())
      : oneOf(fitting[0] ?? '', ...fitting);
  };
  const isOpen = ({ state }: { readonly state: string }) =>
    ['live', 'reserved', 'open', 'pending'].includes(state);
  const any = () => true;

  switch (kind) {
    case 'create secret':
      return { kind, id: newId('s', model.secrets), deviceId: deviceId() };
    case 'void secret':
      return rarely() ? { kind, id: existing(model.secrets, isOpen) } : null;
    case 'approve device':
      return { kind, id: newId('a', model.approvals), deviceId: deviceId(), spki: oneOf(null, 'k1', 'k2') };
    case 'approve request':
      return { kind, id: existing(model.requests, isOpen), approvalId: newId('a', model.approvals) };
    case 'deny request':
      return { kind, id: existing(model.requests, isOpen) };
    case 'end request':
      return {
        kind,
        id: existing(model.requests, ({ state }) => state === 'pending' || state === 'approved'),
      };
    case 'close':
    case 'abandon':
      return { kind, id: rarely() ? existing(model.reserved, any) : existing(model.intents, any) };
    case 'revoke':
      return {
        kind,
        id: existing(model.certificates, ({ revoked }) => !revoked),
        compromised: rarely(),
      };
    case 'retire':
      return rarely() ? { kind, deviceId: deviceId() } : null;
    case 'hold':
    case 'reserve': {
      const secretId = oneOf(true, true, false) ? existing(model.secrets, isOpen) : null;
      const secret = secretId === null ? undefined : model.secrets.get(secretId);
      const asker = rarely() ? deviceId() : (secret?.deviceId ?? deviceId());
      const [spki = 'k1', names = 'n1'] =
        secret?.bound && !rarely() ? secret.bound.split(' ') : Object.values(key());
      const bound = { deviceId: asker, spki, names };
      if (kind === 'hold') return { kind, id: newId('r', model.requests), secretId, ...bound };
      const observed = rarely() ? oneOf('live', 'reserved') : secret?.state;
      return {
        kind,
        id: newId('i', model.reserved),
        secret:
          secretId === null ? null : { id: secretId, state: observed === 'reserved' ? observed : 'live' },
        approvalId: oneOf(true, false) ? existing(model.approvals, isOpen) : null,
        fresh: oneOf(true, false),
        deviceId: asker,
        // Mostly the key that asks is certified; now and then one that the authority made, or one that another asks with.
        spki: oneOf(spki, spki, spki, 'k3', 'k4', 'k2'),
        requestSpki: spki,
        names,
      };
    }
  }
}
