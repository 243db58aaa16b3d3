import { expandNames, type ExpandedNames, type Template } from '#ca';
import type { DeviceClass } from '#inventory';
import type { Action, Context, Facts } from '#policy';
import { namesDigest } from './digests.ts';
import { deriveApproval } from './layers/approval.ts';
import { deriveDevice, deriveEvidence } from './layers/device.ts';
import type { Finding } from './layers/finding.ts';
import { derivePresenter } from './layers/presenter.ts';
import { deriveRate } from './layers/rate.ts';
import { deriveKey, deriveRequest } from './layers/request.ts';
import { deriveSecret, isRequestAgain } from './layers/secret.ts';
import { deriveSegment } from './layers/segment.ts';
import { deriveRenewal, deriveTemplate } from './layers/template.ts';
import type { Observations } from './observations.ts';
import { named, type References } from './references.ts';

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
}

/**
 * Renewal is decided by the credential presented, never by the message type. A simplereenroll can only be a renewal (RFC 7030
 * section 4.2.2), so that a wrong credential there meets the renewal's controls; whoever brings a secret enrolls.
 */
export function actionOf(observations: Observations): Exclude<Action, 'admit'> {
  if (observations.source.operation === 'simplereenroll') return 'renew';
  if (observations.secret !== null) return 'enroll';
  return observations.presenter?.record ? 'renew' : 'enroll';
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
  gathered.add('segment', deriveSegment(source, references, className));
  gathered.add('rate', deriveRate(observations.rate, references, source.template, time));
  if (stage === 'admit') return { facts: gathered.facts('admit', className, source.template), plan: null };

  const action = actionOf(observations);
  const template = named(references.templates, source.template);
  const request = observations.request;
  const names =
    template === undefined || device === null || request === null
      ? null
      : expandNames(template, device, request);
  const digest = names === null ? null : namesDigest(names);
  const spki = observations.key?.spki ?? null;
  const secret = observations.secret;
  const again = secret !== null && isRequestAgain(secret, { template: source.template, spki, names: digest });

  gathered.add('device', deriveDevice(device));
  gathered.add('template', deriveTemplate(source.template, template, deviceClass, names));
  gathered.add('evidence', deriveEvidence(observations.evidence, references, className, source.template));
  gathered.add(
    'approval',
    deriveApproval(observations.approval, references, {
      deviceClass: className,
      spki,
      names: digest,
      time,
      again,
    }),
  );
  if (action === 'enroll' && secret !== null) {
    const asked = {
      deviceId: device?.id ?? null,
      template: source.template,
      spki,
      names: digest,
      request,
      time,
    };
    gathered.add('secret', deriveSecret(secret, asked));
  }
  if (action === 'renew' && observations.presenter !== null) {
    gathered.add(
      'presenter',
      derivePresenter(observations.presenter, references, { template: source.template, request, time }),
    );
  }
  if (template !== undefined && observations.key !== null) {
    gathered.add('key', deriveKey(observations.key, template));
  }
  if (template !== undefined && request !== null && names !== null) {
    gathered.add('request', deriveRequest(request, template, names));
  }
  if (action === 'renew' && template !== undefined && observations.presenter !== null) {
    gathered.add('renewal', deriveRenewal(observations.presenter, template, time));
  }
  const facts = gathered.facts(action, className, source.template);
  if (template === undefined || names === null || digest === null) return { facts, plan: null };
  return {
    facts,
    plan: { template, names, namesDigest: digest, ...validity(template, deviceClass, references, time) },
  };
}

/** As long as the template says, no longer than the class allows, and never past the issuer. Whole seconds, as X.509 has them. */
function validity(
  template: Template,
  deviceClass: DeviceClass | undefined,
  references: References,
  time: number,
) {
  const seconds = Math.min(template.validitySeconds, deviceClass?.maximumValiditySeconds ?? Infinity);
  const issuerEnd = named(references.issuers, template.issuer)?.notAfter ?? 0;
  const wholeSecond = (milliseconds: number) => Math.floor(milliseconds / 1000) * 1000;
  return {
    notBefore: wholeSecond(time - backdateMilliseconds),
    notAfter: wholeSecond(Math.min(time + seconds * 1000, issuerEnd)),
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
