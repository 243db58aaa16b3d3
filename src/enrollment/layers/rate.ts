import { spend, type RateLimit } from '#limits';
import type { Context } from '#policy';
import type { RateObservation } from '../observations.ts';
import { named, type References } from '../references.ts';
import { Finding } from './finding.ts';

/** Would this request conform, given each key's arrival time before it? Of a key not yet known nothing is held against it. */
export function deriveRate(
  rate: RateObservation,
  references: References,
  template: string | null,
  time: number,
): Finding<NonNullable<Context['rate']>> {
  const { source, device, perTemplate } = spendings(rate, references, template, time);
  return new Finding({ source: source.conforms, device: device.conforms, template: perTemplate.conforms })
    .because(
      'rate-source',
      source.conforms,
      `this source is over its limit for another ${source.retryAfterSeconds} s`,
    )
    .because(
      'rate-device',
      device.conforms,
      `this device is over its limit for another ${device.retryAfterSeconds} s`,
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
): number | null {
  const limits = Object.values(spendings(rate, references, template, time));
  return Math.max(...limits.map(({ retryAfterSeconds }) => retryAfterSeconds)) || null;
}

function spendings(rate: RateObservation, references: References, template: string | null, time: number) {
  const of = (limit: RateLimit, observed: { tat: number | null } | null) =>
    observed === null ? { conforms: true, retryAfterSeconds: 0 } : spend(limit, observed.tat, time);
  return {
    source: of(references.limits.source, rate.source),
    device: of(references.limits.device, rate.device),
    perTemplate: of(templateLimit(references, template), rate.template),
  };
}

export function templateLimit(references: References, template: string | null): RateLimit {
  return named(references.limits.templates, template) ?? references.limits.template;
}
