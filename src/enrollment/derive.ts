import type { ExpandedNames, Template } from '#ca';
import type { DeviceClass } from '#inventory';
import type { Action, Context, Facts } from '#policy';
import { namesDigest } from './digests.ts';
import { identityOf } from './identity.ts';
import { certifiedNames } from './certified-names.ts';
import { withDeviceName, withoutDeviceName } from './device-name.ts';
import { evidenceSeen } from './evidence-seen.ts';
import { deriveAccount } from './layers/account.ts';
import { deriveApproval } from './layers/approval.ts';
import { deriveAttestingKey } from './layers/attesting-key.ts';
import { deriveBinding } from './layers/binding.ts';
import { deriveChallenge } from './layers/challenge.ts';
import { deriveDevice } from './layers/device.ts';
import { deriveEvidence } from './layers/evidence.ts';
import type { Finding } from './layers/finding.ts';
import { deriveIdentity } from './layers/identity.ts';
import { deriveLineage } from './layers/lineage.ts';
import { derivePresenter } from './layers/presenter.ts';
import { deriveRate } from './layers/rate.ts';
import { deriveKey, deriveRequest } from './layers/request.ts';
import { deriveSecret, isRequestAgain } from './layers/secret.ts';
import { deriveSegment } from './layers/segment.ts';
import { deriveRenewal, deriveTemplate } from './layers/template.ts';
import { deriveVersions } from './layers/versions.ts';
import { deriveWorkflow } from './layers/workflow.ts';
import type { Observations, OrderObservation } from './observations.ts';
import { named, type References } from './references.ts';
import { asOrdered, requestedNames } from './requested-names.ts';

/** Certificates begin a little in the past, for clients whose clock lags. */
const backdateMilliseconds = 60_000;

export interface Derivation {
  readonly facts: Facts;
  /** What would be certified; null when no device or template is known. */
  readonly plan: {
    readonly template: Template;
    readonly names: ExpandedNames;
    readonly namesDigest: string;
    readonly notBefore: number;
    readonly notAfter: number;
  } | null;
  /** The certificate that this same request got already; null: it got none that is current. */
  readonly issued: string | null;
}

/**
 * Renewal is decided by the credential presented, never by the message type. A simplereenroll can only be a renewal (RFC 7030
 * section 4.2.2), so that a wrong credential there meets the renewal's controls; whoever brings a secret enrolls. What another has ordered or enrolled an account that nobody was given
 * renews where the class leaves it to the policies; it enrolls where an operator is to look at each enrollment.
 */
export function actionOf(
  observations: Observations,
  { deviceClasses }: Pick<References, 'deviceClasses'>,
): Exclude<Action, 'admit'> {
  const { source, secret, challenge, presenter, device, order = null } = observations;
  if (source.operation === 'simplereenroll') return 'renew';
  if (secret !== null || challenge !== undefined || !presenter?.record) return 'enroll';
  const isStranger = order?.key === null && presenter.record.orderedBy !== order.account.id;
  const isLookedAt = named(deviceClasses, device?.deviceClass)?.approval !== 'policy';
  return isStranger && isLookedAt ? 'enroll' : 'renew';
}

/** Pure: the same observations, references and time give the same facts, today and at every replay. */
export function derive(
  observations: Observations,
  references: References,
  stage: 'admit' | 'request',
  time: number,
): Derivation {
  const { source } = observations;
  const device = observations.device;
  const deviceClass: DeviceClass | undefined = named(references.deviceClasses, device?.deviceClass);
  const className = deviceClass?.name ?? null;

  const gathered = new Gathering();
  gathered.add('segment', deriveSegment(source, references, className, stage, time));
  if (stage === 'admit') {
    gathered.add('rate', deriveRate(observations.rate, references, source.template, time));
    return { facts: gathered.facts('admit', className, source.template), plan: null, issued: null };
  }

  const action = actionOf(observations, references);
  const template = named(references.templates, source.template);
  const { key, secret, challenge, presenter, order = null } = observations;
  const request = asOrdered(observations.request, source, order);
  const renewed = action === 'renew' && presenter !== null ? withoutDeviceName(presenter, order) : null;
  const requested =
    template === undefined || request === null ? null : requestedNames(request, template, renewed, source);
  const names =
    template === undefined || device === null || requested === null
      ? null
      : certifiedNames(template, device, requested, observations.evidence);
  const { certified, alike } =
    template === undefined || names === null
      ? { certified: null, alike: [] }
      : withDeviceName(names, template, order, observations.evidence);
  const digest = certified === null ? null : namesDigest(certified);
  const spki = request?.spki ?? null;
  const keygen = key?.origin === 'authority';
  const issued = issuedBefore(observations, { template: source.template, spki, names: digest, keygen });

  gathered.add('device', deriveDevice(device));
  gathered.add('template', deriveTemplate(source.template, template, deviceClass, names));
  const evidence = deriveEvidence(observations.evidence, references, {
    device,
    template: source.template,
    spki: keygen ? null : spki,
    issued,
    approvedAt: approvedAt(observations.approval),
    time,
  });
  gathered.add('evidence', evidence);
  const attested = { deviceClass: className, verified: evidence.facts.verified, again: issued !== null };
  gathered.add('versions', deriveVersions(observations.evidence, attested));
  gathered.add('attestingKey', deriveAttestingKey(observations.evidence, references, attested));
  const approval = deriveApproval(observations.approval, references, {
    deviceClass: className,
    spki,
    names: digest,
    time,
    again: issued !== null,
    deniedAt: secret === null ? lastDenial(observations.denials, [digest, ...alike.map(namesDigest)]) : null,
    ownNames: names !== null && names.admitted.length > 0,
    evidence: evidenceSeen(observations.evidence, evidence.facts.verified),
  });
  gathered.add('approval', approval);
  if (action === 'enroll' && secret !== null) {
    const asked = {
      deviceId: device?.id ?? null,
      template: source.template,
      takesSecrets: template?.authentication.includes('secret') === true,
      spki,
      names: digest,
      keygen,
      request,
      time,
    };
    gathered.add('secret', deriveSecret(secret, asked));
  }
  const workflow = deriveWorkflow(observations.workflows, template);
  gathered.add('workflow', workflow);
  if (action === 'enroll' && challenge !== undefined) {
    const asked = { template, rate: observations.rate, references, time };
    gathered.add('challenge', deriveChallenge(challenge, workflow.facts.agreed, asked));
  }
  const notAfter =
    template === undefined ? null : validity(template, deviceClass, references, time, order).notAfter;
  gathered.add(
    'account',
    deriveAccount(order, {
      source,
      template,
      request,
      renewed,
      notAfter,
      attested: evidence.facts.verified,
      time,
    }),
  );
  if (action === 'enroll' && secret === null && presenter !== null && order === null) {
    gathered.add('identity', deriveIdentity(presenter, references, { device, template, request, time }));
  }
  let contested = false;
  if (renewed !== null) {
    gathered.add(
      'presenter',
      derivePresenter(renewed, references, { template, source, request, names, key, time }),
    );
    const asked = { presented: renewed.sha256, again: issued !== null };
    const lineage = deriveLineage(observations.lineage ?? null, asked);
    gathered.add('lineage', lineage);
    contested = !lineage.facts.uncontested && !approval.facts.lifts.includes('renewal-lineage');
  }
  gathered.add('rate', deriveRate(observations.rate, references, source.template, time, contested));
  const forwarded =
    action === 'enroll' &&
    secret === null &&
    presenter !== null &&
    identityOf(presenter, references)?.kind === 'ra';
  if (request !== null) gathered.add('binding', deriveBinding(request, template, forwarded));
  if (template !== undefined && key !== null) gathered.add('key', deriveKey(key, template));
  if (template !== undefined && request !== null && requested !== null && names !== null) {
    gathered.add(
      'request',
      deriveRequest(request, requested, template, names, { keygen, renewal: renewed !== null }),
    );
  }
  if (renewed !== null && template !== undefined) {
    gathered.add('renewal', deriveRenewal(renewed, template, time));
  }
  const facts = gathered.facts(action, className, source.template);
  if (template === undefined || certified === null || digest === null) {
    return { facts, plan: null, issued: null };
  }
  return {
    facts,
    issued,
    plan: {
      template,
      names: certified,
      namesDigest: digest,
      ...validity(template, deviceClass, references, time, order),
    },
  };
}

/** The same request again: the same credential, template, key and names. */
function issuedBefore(
  { source, secret, issued, order }: Observations,
  asked: { template: string | null; spki: string | null; names: string | null; keygen: boolean },
): string | null {
  // Each activation is for a certificate of its own.
  if (source.protocol === 'attestation') return null;
  if (order) return order.finalizedSpki === asked.spki ? order.certificate : null;
  if (secret !== null) return isRequestAgain(secret, asked) ? secret.certificate : null;
  return !asked.keygen && issued !== null && issued.names === asked.names ? issued.sha256 : null;
}

/** One that was given beforehand, for any key, is nothing that a request has waited for. */
function approvedAt(approval: Observations['approval']): number | null {
  return approval === null || approval.spki === null ? null : approval.createdAt;
}

/** A secret that was reserved for what was denied is void; what asks without one has only this to remember it by. */
function lastDenial(denials: Observations['denials'], digests: readonly (string | null)[]): number | null {
  const times = denials.filter(({ names }) => digests.includes(names)).map(({ at }) => at);
  return times.length === 0 ? null : Math.max(...times);
}

/** As long as the template says, no longer than the class allows, never past the issuer, and no longer than an order asked for, from when it asked for. Whole seconds, as X.509 has them. */
export function validity(
  template: Template,
  deviceClass: DeviceClass | undefined,
  references: References,
  time: number,
  order: Pick<OrderObservation, 'notBefore' | 'notAfter'> | null,
) {
  const seconds = Math.min(template.validitySeconds, deviceClass?.maximumValiditySeconds ?? Infinity);
  const issuerEnd = named(references.issuers, template.issuer)?.notAfter ?? 0;
  const wholeSecond = (milliseconds: number) => Math.floor(milliseconds / 1000) * 1000;
  const begin = order?.notBefore ?? time;
  return {
    notBefore: wholeSecond(order?.notBefore ?? time - backdateMilliseconds),
    notAfter: wholeSecond(
      Math.min(Math.min(begin, time) + seconds * 1000, issuerEnd, order?.notAfter ?? Infinity),
    ),
  };
}

class Gathering {
  readonly #context: { -readonly [K in keyof Context]: Context[K] } = {};
  readonly #reasons: Record<string, string> = {};

  add<K extends keyof Context>(group: K, finding: Finding<NonNullable<Context[K]>> | null): void {
    if (finding === null) return;
    this.#context[group] = finding.facts;
    Object.assign(this.#reasons, finding.reasons);
  }

  facts(action: Action, deviceClass: string | null, template: string | null): Facts {
    return {
      action,
      deviceClass: deviceClass ?? 'unknown',
      template: template ?? 'none',
      context: this.#context,
      reasons: this.#reasons,
    };
  }
}
