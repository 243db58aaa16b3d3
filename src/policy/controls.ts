import { actions, type Action, type Context } from './facts.ts';

/** Facts that disprove what one control demands, whatever all other facts are; null where a group must be absent. */
export type Disproof = { readonly [Group in keyof Context]?: Partial<NonNullable<Context[Group]>> | null };

/** A control without which no bundle is loaded. Compiled in: a policy file cannot take one away. */
export interface RequiredControl {
  readonly id: string;
  readonly actions: readonly Action[];
  /** An operator may lift it for one request, and so a bundle may loosen it for all. Any other it may only tighten. */
  readonly liftable: boolean;
  /** Each of these alone must make the control object. */
  readonly disproofs: readonly Disproof[];
  /**
   * The group of facts that came with it, when requests had been recorded without either. Policies that are put in force must have it; those
   * that are recorded without it are judged by as they were. null: no text was ever in force without it.
   */
  readonly brought: keyof Context | null;
}

const issuing = ['enroll', 'renew'] as const;

/** One who presents no credential at all must have verified evidence. */
const nothing: Disproof = {
  secret: null,
  challenge: null,
  identity: null,
  account: { presented: false, valid: false },
  evidence: { verified: false },
};

export const controlTable: readonly RequiredControl[] = [
  required(
    'segment-listener-class',
    actions,
    { segment: { listenerClass: 'public' } },
    { segment: { listenerClass: 'admin' } },
  ),
  required('segment-protocol', actions, { segment: { protocolServed: false } }),
  required('segment-tls-floor', actions, { segment: { tlsFloorMet: false } }),
  required('segment-source', actions, { segment: { sourceAllowed: false } }),
  required('segment-management', actions, { segment: { managed: false } }),
  required('segment-template', issuing, { segment: { templateServed: false } }),
  required('segment-class', issuing, { segment: { classAllowed: false } }),

  required('rate-source', actions, { rate: { source: false } }),
  required('rate-device', issuing, { rate: { device: false } }),
  required('rate-template', issuing, { rate: { template: false } }),

  required('template-known', issuing, { template: { known: false } }),
  required('template-class', issuing, { template: { forClass: false } }),
  required('template-names', issuing, { template: { namesBuilt: false } }),

  required('device-known', issuing, { device: { known: false } }),
  required(
    'device-state',
    issuing,
    { device: { state: 'suspended' } },
    { device: { state: 'retired' } },
    { device: { state: 'unknown' } },
  ),

  required('request-possession', issuing, { request: { possession: false } }),
  required('request-subject', issuing, { request: { subject: false } }),
  required('request-subject-alt-name', issuing, { request: { subjectAltName: false } }),
  required('request-usage', issuing, { request: { usage: false } }),
  required('request-end-entity', issuing, { request: { endEntity: false } }),
  required('request-no-sid', issuing, { request: { noSid: false } }),
  required('request-extensions', issuing, { request: { extensions: false } }),

  required('key-algorithm', issuing, { key: { algorithmAllowed: false } }),
  required('key-origin', issuing, { key: { originAllowed: false } }),
  required('key-strength', issuing, { key: { strong: false } }),
  required('key-unshared', issuing, { key: { unshared: false } }),

  required(
    'authentication',
    ['enroll'],
    {
      secret: { known: false },
      challenge: { known: false },
      identity: { known: false },
      account: { valid: false },
      evidence: { verified: false },
    },
    nothing,
  ),
  required('secret-known', ['enroll'], { secret: { known: false } }, nothing),
  required('secret-not-void', ['enroll'], { secret: { notVoid: false } }, nothing),
  required('secret-unexpired', ['enroll'], { secret: { unexpired: false } }, nothing),
  required('secret-unused', ['enroll'], { secret: { unused: false } }, nothing),
  required('secret-template', ['enroll'], { secret: { forTemplate: false } }, nothing),
  required('secret-request', ['enroll'], { secret: { forRequest: false } }, nothing),
  required('secret-device', ['enroll'], { secret: { forDevice: false } }, nothing),

  required('challenge-known', ['enroll'], { challenge: { known: false } }, nothing),
  required('challenge-limit', ['enroll'], { challenge: { withinLimit: false } }, nothing),

  required('identity-known', ['enroll'], { identity: { known: false } }, nothing),
  required('identity-current', ['enroll'], { identity: { current: false } }, nothing),
  required('identity-purpose', ['enroll'], { identity: { purpose: false } }, nothing),
  required('identity-template', ['enroll'], { identity: { forTemplate: false } }, nothing),
  required('identity-device', ['enroll'], { identity: { forDevice: false } }, nothing),

  required('renewal-issued-here', ['renew'], { presenter: { issuedHere: false } }),
  required('renewal-known', ['renew'], { presenter: { known: false } }),
  required('renewal-end-entity', ['renew'], { presenter: { endEntity: false } }),
  required('renewal-unexpired', ['renew'], { presenter: { unexpired: false } }),
  required('renewal-unrevoked', ['renew'], { presenter: { unrevoked: false } }),
  required('renewal-template', ['renew'], { presenter: { sameTemplate: false } }),
  required('renewal-names', ['renew'], { presenter: { sameNames: false } }),
  required('renewal-key', ['renew'], { presenter: { keyAllowed: false } }),
  liftable('renewal-window', ['renew']),
  liftable('renewal-lineage', ['renew'], 'lineage'),

  required('account-valid', issuing, { account: { presented: true, valid: false } }),
  required('account-template', issuing, { account: { presented: true, forTemplate: false } }),
  required('account-order', issuing, { account: { presented: true, forRequest: false } }),
  required('account-names', issuing, { account: { presented: true, withinNames: false } }),
  required('account-count', issuing, { account: { presented: true, withinCount: false } }),
  required('account-authorized', issuing, { account: { presented: true, authorized: false } }),

  required('binding-present', issuing, { binding: { required: true, bound: false } }),
  required('binding-matches', issuing, { binding: { contradicted: true } }),

  required('attestation', issuing, { evidence: { required: true, verified: false } }),
  required('attestation-sound', issuing, { evidence: { judged: true, sound: false } }),
  required('attestation-fresh', issuing, { evidence: { judged: true, fresh: false } }),
  required('attestation-trusted', issuing, { evidence: { judged: true, trusted: false } }),
  required('attestation-key', issuing, { evidence: { judged: true, forKey: false } }),
  required('attestation-device', issuing, { evidence: { judged: true, forDevice: false } }),
  required('attestation-unused', issuing, { evidence: { judged: true, unused: false } }),

  liftable('attestation-rollback', issuing, 'versions'),
  liftable('attestation-shared', issuing, 'attestingKey'),

  required('workflow-agreed', issuing, { workflow: { required: true, agreed: false } }),

  liftable('first-enrollment', ['enroll']),
  liftable('class-approval', ['enroll']),
  liftable('enrollment-again', ['enroll']),
];

/** The ids of the controls that must stand for each action. */
export const requiredControls: Readonly<Record<Action, readonly string[]>> = {
  admit: idsFor('admit'),
  enroll: idsFor('enroll'),
  renew: idsFor('renew'),
};

function required(id: string, applies: readonly Action[], ...disproofs: Disproof[]): RequiredControl {
  return { id, actions: applies, liftable: false, disproofs, brought: null };
}

function liftable(
  id: string,
  applies: readonly Action[],
  brought: keyof Context | null = null,
): RequiredControl {
  return { id, actions: applies, liftable: true, disproofs: [], brought };
}

function idsFor(action: Action): string[] {
  return controlTable.filter((control) => control.actions.includes(action)).map(({ id }) => id);
}
