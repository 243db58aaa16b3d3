import { type Cidr, cidrContains, parseCidr } from '#limits';
import type { Context } from '#policy';
import { extendedKeyUsages } from '#x509';
import type { SourceObservation } from '../observations.ts';
import { type ListenerReference, named, type References } from '../references.ts';
import { isWeakAlgorithm } from '../weak-algorithm.ts';
import { Finding } from './finding.ts';

/** Where the request came in: is this the place for it? `deviceClass` is null as long as no device is known; `stage`: what is known of the message is judged when the device is. */
export function deriveSegment(
  source: SourceObservation,
  references: References,
  deviceClass: string | null,
  stage: 'admit' | 'request',
  time: number,
): Finding<NonNullable<Context['segment']>> | null {
  const listener = named(references.listeners, source.listener);
  if (listener === undefined) return null;
  const served = listener.protocols[source.protocol];
  const allowedListeners = named(references.deviceClasses, deviceClass)?.listeners ?? null;
  const weakness = stage === 'admit' ? null : weaknessOf(source, references, deviceClass);
  const facts = {
    listenerClass: listener.listenerClass,
    protocolServed: served !== undefined,
    templateServed: source.template === null || (served?.templates.includes(source.template) ?? false),
    tlsFloorMet: meetsFloor(source, listener.tlsMinimum) && weakness === null,
    sourceAllowed: rangesOf(listener.sources).some((range) => cidrContains(range, source.address)),
    managed: isManaged(source, listener, time),
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
      weakness ?? `${source.tls?.version ?? 'no TLS'} is below the floor ${listener.tlsMinimum}`,
    )
    .because(
      'segment-source',
      facts.sourceAllowed,
      `${source.address} is outside the source ranges of listener ${source.listener}`,
    )
    .because(
      'segment-management',
      facts.managed,
      source.management
        ? `client certificate ${source.management.sha256.slice(0, 16)} is none of a management client of listener ${source.listener}, or is not valid now`
        : `listener ${source.listener} takes management clients only, and none showed a certificate`,
    )
    .because(
      'segment-class',
      facts.classAllowed,
      `devices of class ${deviceClass} may not use listener ${source.listener}`,
    );
}

/** RFC 5280 section 4.2.1.12: for clientAuth, where it says for what. */
function isManaged({ management }: SourceObservation, listener: ListenerReference, time: number): boolean {
  if (listener.management === undefined) return true;
  if (management === undefined || management === null) return false;
  const { path, isCa, extendedKeyUsage } = management;
  const end = path.at(-1);
  return (
    !isCa &&
    (extendedKeyUsage === null || extendedKeyUsage.includes(extendedKeyUsages.clientAuth)) &&
    end !== undefined &&
    listener.management.includes(end.sha256) &&
    path.every(({ notBefore, notAfter }) => notBefore <= time && time < notAfter)
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

/** Of a message that is protected by itself, in words; null: it has none, or its template takes it from this class of devices. */
function weaknessOf(
  { message, template: name }: SourceObservation,
  { templates }: References,
  deviceClass: string | null,
): string | null {
  const found = [message?.digest, message?.cipher].filter(
    (each) => typeof each === 'string' && isWeakAlgorithm(each),
  );
  if (found.length === 0) return null;
  const takers = named(templates, name)?.legacyAlgorithms ?? [];
  if (deviceClass !== null && takers.includes(deviceClass)) return null;
  return `the message has ${found.join(' and ')}, which template ${name} does not take from class ${deviceClass ?? '(unknown)'} (legacyAlgorithms)`;
}

const order = ['TLSv1.2', 'TLSv1.3'];

function meetsFloor({ protocol, tls }: SourceObservation, floor: string | null): boolean {
  if (floor === 'none') return protocol === 'scep';
  if (tls === null || floor === null) return false;
  const { version } = tls;
  return order.includes(version) && order.indexOf(version) >= order.indexOf(floor);
}
