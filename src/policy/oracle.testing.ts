import type { Action, Context, Facts, Verdict } from './facts.ts';

/** The default policies said again in TypeScript, for tests to compare with. Written from the rules, not from Cedar. */
export interface Expectation {
  readonly decision: Verdict['decision'];
  readonly controls: readonly string[];
}

const commonGroups = [
  'segment',
  'rate',
  'template',
  'device',
  'request',
  'key',
  'evidence',
  'versions',
  'attestingKey',
  'approval',
  'binding',
  'workflow',
  'account',
];
const credentials = ['secret', 'challenge', 'identity'];
const groups: Readonly<Record<Action, readonly string[]>> = {
  admit: ['segment', 'rate'],
  enroll: [...commonGroups, ...credentials],
  renew: [...commonGroups, 'presenter', 'renewal', 'lineage'],
};
const liftable = new Set([
  'attestation-rollback',
  'attestation-shared',
  'first-enrollment',
  'class-approval',
  'enrollment-again',
  'renewal-window',
  'renewal-lineage',
]);

export function expectation({ action, context }: Facts): Expectation {
  if (Object.keys(context).some((group) => !groups[action].includes(group))) {
    return { decision: 'deny', controls: ['unevaluable'] };
  }
  const objecting = Object.entries(proofs(action, context))
    .filter(([, proven]) => proven !== true)
    .map(([control]) => control)
    .sort();
  if (objecting.length === 0) return { decision: 'allow', controls: [] };
  if (!objecting.every((control) => liftable.has(control))) return { decision: 'deny', controls: objecting };
  return context.approval?.denied === false
    ? { decision: 'hold', controls: objecting }
    : { decision: 'deny', controls: [...objecting, 'denied'].sort() };
}

type Proofs = Readonly<Record<string, boolean | undefined>>;

function proofs(action: Action, context: Context): Proofs {
  const arrival = atArrival(action, context);
  if (action === 'admit') return arrival;
  return {
    ...arrival,
    ...ofRequest(context),
    ...(action === 'enroll' ? ofEnrollment(context) : ofRenewal(context)),
  };
}

function atArrival(action: Action, context: Context): Proofs {
  const { segment, rate, evidence, secret, challenge, identity, account } = context;
  const missing = groups[action].filter((group) => context[group as keyof Context] === undefined);
  const presented =
    evidence?.verified === true ||
    account?.presented === true ||
    [secret, challenge, identity].some((credential) => credential !== undefined);
  const dispensable = presented ? credentials : [];
  return {
    'segment-listener-class': segment?.listenerClass === 'enroll',
    'segment-protocol': segment?.protocolServed,
    'segment-tls-floor': segment?.tlsFloorMet,
    'segment-source': segment?.sourceAllowed,
    'segment-management': segment?.managed,
    'rate-source': rate?.source,
    incomplete: missing.every((group) => dispensable.includes(group)),
  };
}

function ofRequest(context: Context): Proofs {
  const { segment, rate, template, device, request, key, evidence, versions, binding, workflow, account } =
    context;
  const allows = (proven: boolean | undefined) => account?.presented === false || proven;
  const counts = (proven: boolean | undefined) => evidence?.judged === false || proven;
  return {
    'segment-template': segment?.templateServed,
    'segment-class': segment?.classAllowed,
    'rate-device': rate?.device,
    'rate-template': rate?.template,
    'template-known': template?.known,
    'template-class': template?.forClass,
    'template-names': template?.namesBuilt,
    'device-known': device?.known,
    'device-state': device?.state === 'expected' || device?.state === 'active',
    'request-possession': request?.possession,
    'request-subject': request?.subject,
    'request-subject-alt-name': request?.subjectAltName,
    'request-usage': request?.usage,
    'request-end-entity': request?.endEntity,
    'request-no-sid': request?.noSid,
    'request-extensions': request?.extensions,
    'key-algorithm': key?.algorithmAllowed,
    'key-origin': key?.originAllowed,
    'key-strength': key?.strong,
    'key-unshared': key?.unshared,
    'binding-present': binding?.required === false || binding?.bound,
    'binding-matches': binding?.contradicted === false,
    attestation: evidence?.required === false || evidence?.verified,
    'attestation-sound': counts(evidence?.sound),
    'attestation-fresh': counts(evidence?.fresh),
    'attestation-trusted': counts(evidence?.trusted),
    'attestation-key': counts(evidence?.forKey),
    'attestation-device': counts(evidence?.forDevice),
    'attestation-unused': counts(evidence?.unused),
    'attestation-rollback': versions?.kept === true || lifted(context, 'attestation-rollback'),
    'attestation-shared': context.attestingKey?.withinLimit === true || lifted(context, 'attestation-shared'),
    'workflow-agreed': workflow?.required === false || workflow?.agreed,
    'account-valid': allows(account?.valid),
    'account-template': allows(account?.forTemplate),
    'account-order': allows(account?.forRequest),
    'account-names': allows(account?.withinNames),
    'account-count': allows(account?.withinCount),
    'account-authorized': allows(account?.authorized),
  };
}

function ofEnrollment(context: Context): Proofs {
  const { secret, challenge, identity, account, evidence, approval, device } = context;
  const attested = evidence?.verified === true;
  const presented =
    account?.presented === true ||
    [secret, challenge, identity].some((credential) => credential !== undefined);
  const proofOf =
    (credential: object | undefined) =>
    (proven: boolean | undefined): boolean | undefined =>
      credential === undefined ? attested || presented : proven;
  const holds = proofOf(secret);
  const answers = proofOf(challenge);
  const stands = proofOf(identity);
  return {
    authentication:
      attested ||
      identity?.known === true ||
      challenge?.known === true ||
      account?.valid === true ||
      secret?.known,
    'challenge-known': answers(challenge?.known),
    'challenge-limit': answers(challenge?.withinLimit),
    'secret-known': holds(secret?.known),
    'secret-not-void': holds(secret?.notVoid),
    'secret-unexpired': holds(secret?.unexpired),
    'secret-unused': holds(secret?.unused),
    'secret-template': holds(secret?.forTemplate),
    'secret-request': holds(secret?.forRequest),
    'secret-device': holds(secret?.forDevice),
    'identity-known': stands(identity?.known),
    'identity-current': stands(identity?.current),
    'identity-purpose': stands(identity?.purpose),
    'identity-template': stands(identity?.forTemplate),
    'identity-device': stands(identity?.forDevice),
    'enrollment-again': device?.fresh === true || lifted(context, 'enrollment-again'),
    'first-enrollment': attested || account?.approved === true || lifted(context, 'first-enrollment'),
    'class-approval': approval?.required === false || lifted(context, 'class-approval'),
  };
}

function ofRenewal(context: Context): Proofs {
  const { presenter, renewal } = context;
  return {
    'renewal-issued-here': presenter?.issuedHere,
    'renewal-known': presenter?.known,
    'renewal-end-entity': presenter?.endEntity,
    'renewal-unexpired': presenter?.unexpired,
    'renewal-unrevoked': presenter?.unrevoked,
    'renewal-template': presenter?.sameTemplate,
    'renewal-names': presenter?.sameNames,
    'renewal-key': presenter?.keyAllowed,
    'renewal-window': renewal?.windowOpen === true || lifted(context, 'renewal-window'),
    'renewal-lineage': context.lineage?.uncontested === true || lifted(context, 'renewal-lineage'),
  };
}

function lifted({ approval }: Context, control: string): boolean {
  return approval?.granted === true && approval.lifts.includes(control);
}
