import type { Intent } from '#enrollment';

/*
 * What the store should do, in the simplest words: plain maps and no transactions. Each act says 'done' or the code of the error, and
 * changes nothing in the latter case.
 */

export type Outcome = 'done' | 'conflict' | 'not-found';

interface Bound {
  readonly deviceId: string;
  /** Of the asker's own key. */
  readonly spki: string;
  readonly names: string;
}

export type Act =
  | { readonly kind: 'create secret'; readonly id: string; readonly deviceId: string }
  | { readonly kind: 'void secret'; readonly id: string }
  | {
      readonly kind: 'approve device';
      readonly id: string;
      readonly deviceId: string;
      readonly spki: string | null;
    }
  | ({ readonly kind: 'hold'; readonly id: string; readonly secretId: string | null } & Bound)
  | { readonly kind: 'approve request'; readonly id: string; readonly approvalId: string }
  | { readonly kind: 'deny request' | 'end request'; readonly id: string }
  | ({ readonly kind: 'reserve'; readonly id: string; readonly approvalId: string | null } & Bound &
      Pick<Intent, 'requestSpki' | 'fresh' | 'secret'>)
  | { readonly kind: 'close'; readonly id: string }
  | { readonly kind: 'revoke'; readonly id: string; readonly compromised: boolean }
  | { readonly kind: 'abandon'; readonly id: string }
  | { readonly kind: 'retire'; readonly deviceId: string };

type Of<Kind extends Act['kind']> = Extract<Act, { kind: Kind }>;

export class AuthorityModel {
  readonly devices = new Map([
    ['d1', 'expected'],
    ['d2', 'expected'],
  ]);
  readonly secrets = new Map<string, { deviceId: string; state: string; bound: string | null }>();
  readonly approvals = new Map<
    string,
    { deviceId: string; spki: string | null; names: string | null; state: string; intent: string | null }
  >();
  readonly requests = new Map<string, Bound & { state: string }>();
  readonly intents = new Map<string, Of<'reserve'>>();
  /** Every intent that was ever open. Its serial number may not come again. */
  readonly reserved = new Map<string, Of<'reserve'>>();

  /** By the intents that they came from. */
  readonly certificates = new Map<string, Bound & { revoked: boolean; compromised: boolean }>();

  perform(act: Act): Outcome {
    switch (act.kind) {
      case 'create secret':
        return this.#createSecret(act);
      case 'void secret':
        return this.#voidSecret(act);
      case 'approve device':
        return this.#openApproval(act.id, act.deviceId, act.spki);
      case 'hold':
        return this.#hold(act);
      case 'approve request':
        return this.#approveRequest(act);
      case 'deny request':
        return this.#endRequest(act.id, ['pending']);
      case 'end request':
        return this.#endRequest(act.id, ['pending', 'approved']);
      case 'reserve':
        return this.#reserve(act);
      case 'close':
        return this.#close(act);
      case 'revoke':
        return this.#revoke(act);
      case 'abandon':
        return this.#abandon(act);
      case 'retire':
        return this.#retire(act);
    }
  }

  /** One line for each thing there is. */
  describe(): string[] {
    return [
      ...[...this.devices].map(([id, state]) => `${id} ${state}`),
      ...[...this.secrets].map(([id, { state, bound }]) => `${id} ${state} for ${bound ?? 'nobody'}`),
      ...[...this.approvals].map(([id, { state, intent }]) => `${id} ${state} by ${intent ?? 'nobody'}`),
      ...[...this.requests].map(
        ([id, { state, deviceId, spki, names }]) => `${id} ${state} ${deviceId} ${spki} ${names}`,
      ),
      ...[...this.intents].map(
        ([id, { spki, requestSpki, names }]) => `${id} open ${spki} ${requestSpki} ${names}`,
      ),
      ...[...this.certificates].map(
        ([id, { revoked, deviceId, spki, names }]) =>
          `${id} ${revoked ? 'revoked' : 'current'} ${deviceId} ${spki} ${names}`,
      ),
    ].sort();
  }

  #createSecret({ id, deviceId }: Of<'create secret'>): Outcome {
    if (this.devices.get(deviceId) === 'retired' || this.secrets.has(id)) return 'conflict';
    this.secrets.set(id, { deviceId, state: 'live', bound: null });
    return 'done';
  }

  #voidSecret({ id }: Of<'void secret'>): Outcome {
    const secret = this.secrets.get(id);
    if (secret === undefined) return 'not-found';
    if (!isOpen(secret)) return 'conflict';
    secret.state = 'void';
    return 'done';
  }

  #openApproval(id: string, deviceId: string, spki: string | null, names: string | null = null): Outcome {
    if (this.devices.get(deviceId) === 'retired' || this.approvals.has(id)) return 'conflict';
    for (const older of this.approvals.values()) {
      const anyKey = older.spki === null && spki === null;
      if (older.state === 'open' && older.deviceId === deviceId && anyKey) older.state = 'void';
    }
    this.approvals.set(id, { deviceId, spki, names, state: 'open', intent: null });
    return 'done';
  }

  #hold(act: Of<'hold'>): Outcome {
    const secret = act.secretId === null ? null : this.secrets.get(act.secretId);
    if (secret === undefined) return 'conflict';
    if (secret !== null) {
      const free = secret.state === 'live' || (secret.state === 'reserved' && secret.bound === boundTo(act));
      if (!free || secret.deviceId !== act.deviceId) return 'conflict';
    }
    const waiting = [...this.requests].find(
      ([, request]) => request.state === 'pending' && sameKey(request, act),
    );
    const pending = waiting?.[1].names === act.names ? waiting : undefined;
    if (pending === undefined && this.requests.has(act.id)) return 'conflict';
    if (waiting !== undefined && pending === undefined) waiting[1].state = 'denied';
    if (secret !== null) Object.assign(secret, { state: 'reserved', bound: boundTo(act) });
    const { deviceId, spki, names } = act;
    this.requests.set(pending?.[0] ?? act.id, { deviceId, spki, names, state: 'pending' });
    return 'done';
  }

  #approveRequest({ id, approvalId }: Of<'approve request'>): Outcome {
    const request = this.requests.get(id);
    if (request === undefined) return 'not-found';
    if (request.state !== 'pending') return 'conflict';
    const { deviceId, spki, names } = request;
    const fitting = [...this.approvals.values()].filter(
      (open) =>
        open.state === 'open' &&
        open.deviceId === deviceId &&
        (open.spki === null || open.spki === spki) &&
        (open.names === null || open.names === names),
    );
    const opened = this.#openApproval(approvalId, deviceId, spki, names);
    if (opened !== 'done') return opened;
    for (const earlier of fitting) earlier.state = 'void';
    request.state = 'approved';
    return opened;
  }

  #endRequest(id: string, states: readonly string[]): Outcome {
    const request = this.requests.get(id);
    if (request === undefined) return 'not-found';
    if (!states.includes(request.state)) return 'conflict';
    request.state = 'denied';
    for (const secret of this.secrets.values()) {
      const reservedForKey = secret.state === 'reserved' && secret.bound?.startsWith(`${request.spki} `);
      if (reservedForKey && secret.deviceId === request.deviceId) secret.state = 'void';
    }
    return 'done';
  }

  #reserve(act: Of<'reserve'>): Outcome {
    if (this.reserved.has(act.id)) return 'conflict';
    if (this.devices.get(act.deviceId) === 'retired' || this.#isShared(act)) return 'conflict';
    if (act.fresh && this.#hasOtherKey(act)) return 'conflict';
    const asked = { ...act, spki: act.requestSpki };
    const secret = act.secret === null ? null : this.secrets.get(act.secret.id);
    if (secret === undefined) return 'conflict';
    if (act.secret !== null && secret !== null) {
      const asObserved = secret.state === act.secret.state && secret.deviceId === act.deviceId;
      const forThis = act.secret.state === 'live' || secret.bound === boundTo(asked);
      const busy = [...this.intents.values()].some((intent) => intent.secret?.id === act.secret?.id);
      if (!asObserved || !forThis || busy) return 'conflict';
    }
    const approval = act.approvalId === null ? null : this.approvals.get(act.approvalId);
    if (approval === undefined) return 'conflict';
    if (approval !== null) {
      const fits =
        approval.deviceId === asked.deviceId && (approval.spki === null || approval.spki === asked.spki);
      if (approval.state !== 'open' || !fits) return 'conflict';
    }
    if (secret !== null) Object.assign(secret, { state: 'reserved', bound: boundTo(asked) });
    if (approval !== null) Object.assign(approval, { state: 'taken', intent: act.id });
    this.intents.set(act.id, act);
    this.reserved.set(act.id, act);
    return 'done';
  }

  /** Another device has a certificate for the key, asks for one, or is about to get one; or one for it was revoked as compromised. */
  #isShared({ spki, deviceId }: Bound): boolean {
    const others = [
      ...this.certificates.values(),
      ...this.intents.values(),
      ...[...this.intents.values()].map((intent) => ({ ...intent, spki: intent.requestSpki })),
      ...[...this.requests.values()].filter(({ state }) => state !== 'denied'),
    ];
    const isCompromised = [...this.certificates.values()].some(
      (each) => each.spki === spki && each.compromised,
    );
    return isCompromised || others.some((other) => other.spki === spki && other.deviceId !== deviceId);
  }

  /** The device has a current certificate for another key, or is about to get one. */
  #hasOtherKey({ spki, deviceId }: Bound): boolean {
    const current = [...this.certificates.values()].filter(({ revoked }) => !revoked);
    return [...current, ...this.intents.values()].some(
      (other) => other.deviceId === deviceId && other.spki !== spki,
    );
  }

  #close({ id }: Of<'close'>): Outcome {
    const intent = this.intents.get(id);
    if (intent === undefined) return 'conflict';
    const secret = intent.secret === null ? null : this.secrets.get(intent.secret.id);
    const approval = intent.approvalId === null ? null : this.approvals.get(intent.approvalId);
    if (this.devices.get(intent.deviceId) === 'retired') return 'conflict';
    if (secret && secret.state !== 'reserved') return 'conflict';
    if (approval && approval.state !== 'taken') return 'conflict';
    if (secret) secret.state = 'spent';
    if (approval) approval.state = 'used';
    for (const beforehand of this.approvals.values()) {
      const left = beforehand.state === 'open' && beforehand.spki === null;
      if (left && beforehand.deviceId === intent.deviceId) beforehand.state = 'void';
    }
    for (const request of this.requests.values()) {
      const undecided = request.state === 'pending' || request.state === 'approved';
      if (undecided && sameKey(request, { ...intent, spki: intent.requestSpki })) request.state = 'issued';
    }
    if (this.devices.get(intent.deviceId) === 'expected') this.devices.set(intent.deviceId, 'active');
    this.intents.delete(id);
    const { deviceId, spki, names } = intent;
    this.certificates.set(id, { deviceId, spki, names, revoked: false, compromised: false });
    return 'done';
  }

  #revoke({ id, compromised }: Of<'revoke'>): Outcome {
    const certificate = this.certificates.get(id);
    if (certificate === undefined) return 'not-found';
    if (certificate.revoked) return 'conflict';
    certificate.revoked = true;
    certificate.compromised = compromised;
    return 'done';
  }

  #abandon({ id }: Of<'abandon'>): Outcome {
    const intent = this.intents.get(id);
    if (intent === undefined) return 'conflict';
    const approval = intent.approvalId === null ? null : this.approvals.get(intent.approvalId);
    if (approval?.state === 'taken') Object.assign(approval, { state: 'open', intent: null });
    this.intents.delete(id);
    return 'done';
  }

  #retire({ deviceId }: Of<'retire'>): Outcome {
    this.devices.set(deviceId, 'retired');
    for (const secret of this.secrets.values()) {
      if (secret.deviceId === deviceId && isOpen(secret)) secret.state = 'void';
    }
    for (const approval of this.approvals.values()) {
      const unused = approval.state === 'open' || approval.state === 'taken';
      if (unused && approval.deviceId === deviceId) approval.state = 'void';
    }
    for (const request of this.requests.values()) {
      if (request.deviceId === deviceId && request.state === 'pending') request.state = 'denied';
    }
    return 'done';
  }
}

function isOpen({ state }: { readonly state: string }): boolean {
  return state === 'live' || state === 'reserved';
}

function boundTo({ spki, names }: Bound): string {
  return `${spki} ${names}`;
}

function sameKey(left: Bound, right: Bound): boolean {
  return left.deviceId === right.deviceId && left.spki === right.spki;
}
