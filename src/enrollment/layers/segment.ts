import { type Cidr, cidrContains, parseCidr } from '#limits';
import type { Context } from '#policy';
import type { SourceObservation } from '../observations.ts';
import { named, type References } from '../references.ts';
import { Finding } from './finding.ts';

/** Where the request came in: is this the place for it? `deviceClass` is null as long as no device is known. */
export function deriveSegment(
  source: SourceObservation,
  references: References,
  deviceClass: string | null,
): Finding<NonNullable<Context['segment']>> | null {
  const listener = named(references.listeners, source.listener);
  if (listener === undefined) return null;
  const served = listener.protocols[source.protocol];
  const allowedListeners = named(references.deviceClasses, deviceClass)?.listeners ?? null;
  const facts = {
    listenerClass: listener.listenerClass,
    protocolServed: served !== undefined,
    templateServed: source.template === null || (served?.templates.includes(source.template) ?? false),
    tlsFloorMet: meetsFloor(source.tls?.version ?? null, listener.tlsMinimum),
    sourceAllowed: rangesOf(listener.sources).some((range) => cidrContains(range, source.address)),
    classAllowed: allowedListeners === null || allowedListeners.includes(source.listener),
  };
  return new Finding(facts)
    .because(
      'segment-listener-class',
      facts.listenerClass === 'enroll',
      `listener ${source.listener} is of class ${facts.listenerClass}`,
    )
    .because(
      'segment-protocol',
      facts.protocolServed,
      `listener ${source.listener} does not serve ${source.protocol}`,
    )
    .because(
      'segment-template',
      facts.templateServed,
      `listener ${source.listener} does not serve template ${source.template}`,
    )
    .because(
      'segment-tls-floor',
      facts.tlsFloorMet,
      `${source.tls?.version ?? 'no TLS'} is below the floor ${listener.tlsMinimum}`,
    )
    .because(
      'segment-source',
      facts.sourceAllowed,
      `${source.address} is outside the source ranges of listener ${source.listener}`,
    )
    .because(
      'segment-class',
      facts.classAllowed,
      `devices of class ${deviceClass} may not use listener ${source.listener}`,
    );
}

const parsedRanges = new WeakMap<readonly string[], readonly Cidr[]>();

/** References are frozen, so their ranges are parsed once. */
function rangesOf(sources: readonly string[]): readonly Cidr[] {
  let ranges = parsedRanges.get(sources);
  if (ranges === undefined) {
    ranges = sources.map(parseCidr);
    parsedRanges.set(sources, ranges);
  }
  return ranges;
}

const order = ['TLSv1.2', 'TLSv1.3'];

function meetsFloor(version: string | null, floor: string | null): boolean {
  if (version === null || floor === null) return false;
  return order.includes(version) && order.indexOf(version) >= order.indexOf(floor);
}
