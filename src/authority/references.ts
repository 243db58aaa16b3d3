import { canonicalJson } from '#audit';
import type { Issuer, NextAuthority } from '#ca';
import type { ApiListener, Configuration, ListenerConfiguration } from '#config';
import type { TrustAnchors } from '#evidence';
import type { Certificate } from '#x509';
import { type ListenerReference, path, type References, sha256Hex } from '#enrollment';

/** What deriving reads of the configuration, and nothing else of it. */
export function referencesOf(
  configuration: Configuration,
  loaded: {
    readonly issuers: readonly { readonly issuer: Issuer; readonly next: NextAuthority | null }[];
    readonly identities: ReadonlyMap<string, readonly Certificate[]>;
    readonly managementCertificates: ReadonlyMap<string, readonly Certificate[]>;
    readonly anchors: readonly TrustAnchors[];
  },
): References {
  const { issuers, identities, managementCertificates, anchors } = loaded;
  const identityCertificates = (name: string) =>
    (identities.get(name) ?? []).map(({ der }) => sha256Hex(der));
  const { source, device, template, verifier, templates } = configuration.limits;
  const byName = <T extends { readonly name: string }>(list: readonly T[]) =>
    Object.fromEntries(list.map((item) => [item.name, item]));
  return {
    // No enrollment is judged where machines ask.
    listeners: Object.fromEntries(
      configuration.listeners.flatMap((listener) =>
        listener.class === 'api'
          ? []
          : [[listener.name, listenerReference(listener, managementCertificates.get(listener.name))]],
      ),
    ),
    templates: byName(configuration.templates),
    deviceClasses: byName(configuration.deviceClasses),
    identities: Object.fromEntries(
      configuration.identities.map(({ name, kind, device, from, hardwareTypes, classes, templates }) => [
        name,
        { kind, device, from, hardwareTypes, classes, templates, certificates: identityCertificates(name) },
      ]),
    ),
    attestation: { roots: byName(anchors) },
    issuers: Object.fromEntries(
      issuers.map(({ issuer, next }) => [
        issuer.name,
        {
          certificates: path(issuer).map(({ der }) => sha256Hex(der)),
          notAfter: Math.min(...path(issuer).map(({ notAfter }) => notAfter)),
          ...(next === null ? {} : { next: next.certificates.map(({ der }) => sha256Hex(der)) }),
        },
      ]),
    ),
    approvals: { lifetimeSeconds: configuration.approvals.lifetimeSeconds },
    limits: {
      source,
      device,
      template,
      verifier,
      templates,
      staticChallenges: Object.fromEntries(
        Object.entries(configuration.staticChallenges).map(([template, { limit }]) => [template, limit]),
      ),
    },
  };
}

/** The form in which references are kept in the store, and its digest, by which entries name it. */
export function recordedForm(references: References): { digest: string; body: Uint8Array } {
  const body = Buffer.from(canonicalJson(references));
  return { digest: sha256Hex(body), body };
}

function listenerReference(
  listener: Exclude<ListenerConfiguration, ApiListener>,
  management: readonly Certificate[] | undefined,
): ListenerReference {
  if (listener.class === 'admin') {
    return { listenerClass: 'admin', tlsMinimum: null, sources: [], protocols: {} };
  }
  if (listener.class === 'public') {
    return { listenerClass: 'public', tlsMinimum: null, sources: listener.sources, protocols: {} };
  }
  return {
    listenerClass: 'enroll',
    tlsMinimum: listener.tls?.minimum ?? 'none',
    sources: listener.sources,
    ...(management === undefined ? {} : { management: management.map(({ der }) => sha256Hex(der)) }),
    protocols: listener.protocols,
  };
}
