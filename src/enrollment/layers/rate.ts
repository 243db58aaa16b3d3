import { spend, type RateLimit } from '#limits';
import type { Context } from '#policy';
import type { RateObservation } from '../observations.ts';
import { named, type References } from '../references.ts';
import { verifierLimit } from '../verifier-limit.ts';
import { Finding } from './finding.ts';

/**
 * Would this request conform, given each key's arrival time before it? Of a key not yet known nothing is held against it. `contested`: it waits for who decides its
 * lineage, and spends from the limit of the certificate that it presents: who has that beside the device spends nothing of the device's.
 */
export function deriveRate(
  rate: RateObservation,
  references: References,
  template: string | null,
  time: number,
  contested = false,
): Finding<NonNullable<Context['rate']>> {
  const { source, device, presented, verifier, perTemplate } = spendings(
    rate,
    references,
    template,
    time,
    contested,
  );
  return new Finding({
    source: source.conforms,
    device: device.conforms && presented.conforms && verifier.conforms,
    template: perTemplate.conforms,
  })
    .because(
      'rate-source',
      source.conforms,
      `this source is over its limit for another ${source.retryAfterSeconds} s`,
    )
    .because(
      'rate-device',
      device.conforms && presented.conforms && verifier.conforms,
      !device.conforms
        ? `this device is over its limit for another ${device.retryAfterSeconds} s`
        : !presented.conforms
          ? `this certificate, whose lineage is contested, is over its limit for another ${presented.retryAfterSeconds} s`
          : `who presents this had verifiers asked as often as they may be, for another ${verifier.retryAfterSeconds} s`,
    )
    .because(
      'rate-template',
      perTemplate.conforms,
      `template ${template} is over its limit for another ${perTemplate.retryAfterSeconds} s`,
    );
}

/** Seconds until every limit would let it pass, or null where all do now. */
export function rateWaitSeconds(
  rate: RateObservation,
  references: References,
  template: string | null,
  time: number,
  contested: boolean,
): number | null {
  const limits = Object.values(spendings(rate, references, template, time, contested));
  return Math.max(...limits.map(({ retryAfterSeconds }) => retryAfterSeconds)) || null;
}

function spendings(
  rate: RateObservation,
  references: References,
  template: string | null,
  time: number,
  contested: boolean,
) {
  const of = (limit: RateLimit, observed: { tat: number | null } | null) =>
    observed === null ? { conforms: true, retryAfterSeconds: 0 } : spend(limit, observed.tat, time);
  return {
    source: of(references.limits.source, rate.source),
    device: of(references.limits.device, rate.device),
    presented: of(references.limits.device, contested ? (rate.presented ?? null) : null),
    verifier: of(verifierLimit(references), rate.verifier ?? null),
    perTemplate: of(templateLimit(references, template), rate.template),
  };
}

export function templateLimit(references: References, template: string | null): RateLimit {
  return named(references.limits.templates, template) ?? references.limits.template;
}

/** Nobody was asked about its evidence, since that was done as often as it may be. */
export function isOverVerifierLimit({ verifier }: RateObservation, references: References, time: number) {
  return verifier !== undefined && !spend(verifierLimit(references), verifier.tat, time).conforms;
}
