import type { Action, Context, Facts } from './facts.ts';

/** Facts for tests in which everything is proven, as plainly as a first enrollment by secret and approval can be. */

const segment = {
  listenerClass: 'enroll',
  protocolServed: true,
  templateServed: true,
  tlsFloorMet: true,
  sourceAllowed: true,
  managed: true,
  classAllowed: true,
} as const;

const rate = { source: true, device: true, template: true };

const asked = {
  segment,
  rate,
  template: { known: true, forClass: true, namesBuilt: true },
  device: { known: true, state: 'active', fresh: true },
  request: {
    possession: true,
    subject: true,
    subjectAltName: true,
    usage: true,
    endEntity: true,
    noSid: true,
    extensions: true,
  },
  key: { algorithmAllowed: true, originAllowed: true, strong: true, unshared: true },
  evidence: {
    required: false,
    offered: false,
    judged: false,
    sound: false,
    fresh: false,
    trusted: false,
    forKey: false,
    forDevice: false,
    unused: false,
    verified: false,
  },
  versions: { kept: true },
  attestingKey: { withinLimit: true },
  binding: { required: false, bound: false, contradicted: false },
  workflow: { required: false, agreed: false },
  account: {
    presented: false,
    valid: false,
    forTemplate: false,
    forRequest: false,
    withinNames: false,
    withinCount: false,
    authorized: false,
    approved: false,
  },
} as const;

const contexts: Readonly<Record<Action, Context>> = {
  admit: { segment, rate },
  enroll: {
    ...asked,
    approval: { required: false, granted: true, lifts: ['first-enrollment'], denied: false },
    secret: {
      known: true,
      notVoid: true,
      unexpired: true,
      unused: true,
      forTemplate: true,
      forRequest: true,
      forDevice: true,
    },
  },
  renew: {
    ...asked,
    approval: { required: false, granted: false, lifts: [], denied: false },
    presenter: {
      issuedHere: true,
      known: true,
      endEntity: true,
      unexpired: true,
      unrevoked: true,
      sameTemplate: true,
      sameNames: true,
      keyAllowed: true,
    },
    renewal: { windowOpen: true },
    lineage: { uncontested: true },
  },
};

/** An identity instead of a secret, as a change of those facts. */
export const byIdentity: Change = {
  secret: null,
  identity: {
    kind: 'idevid',
    known: true,
    current: true,
    purpose: true,
    forTemplate: true,
    forDevice: true,
  },
};

/** A challenge instead of a secret. */
export const byChallenge: Change = {
  secret: null,
  challenge: { known: true, withinLimit: true },
};

/** An account instead of a secret. */
export const byAccount: Change = {
  secret: null,
  account: {
    presented: true,
    valid: true,
    forTemplate: true,
    forRequest: true,
    withinNames: true,
    withinCount: true,
    authorized: true,
    approved: false,
  },
};

/** Facts laid over others, group by group; `null` takes a group away. */
export type Change = { readonly [Group in keyof Context]?: Partial<NonNullable<Context[Group]>> | null };

export function provenFacts(action: Action, change: Change = {}): Facts {
  return {
    action,
    deviceClass: 'laptop',
    template: 'wifi',
    context: changed(contexts[action], change),
    reasons: {},
  };
}

export function emptyFacts(action: Action, template = 'wifi', deviceClass = 'laptop'): Facts {
  return { action, deviceClass, template, context: {}, reasons: {} };
}

/** The references that these facts are about. */
export const references = {
  templates: ['wifi', 'vpn', 'server'],
  deviceClasses: ['laptop', 'printer'],
} as const;

function changed(context: Context, change: Change): Context {
  const groups: Record<string, unknown> = { ...context };
  for (const [group, facts] of Object.entries(change)) {
    if (facts === null) delete groups[group];
    else groups[group] = { ...(context[group as keyof Context] as object | undefined), ...facts };
  }
  return groups;
}
