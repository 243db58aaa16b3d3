import { dirname, resolve } from 'node:path';
import type { AcmeTemplate, Template } from '#ca';
import { listedFormats } from '#evidence';
import type { DeviceClass, EvidenceRequirement } from '#inventory';
import type {
  AttestationConfiguration,
  Configuration,
  DatabaseConfiguration,
  EncryptedKeyFile,
  IssuerConfiguration,
  ListenerConfiguration,
  LogConfiguration,
  ProtocolsConfiguration,
  TlsConfiguration,
  WorkflowConfiguration,
} from './configuration.ts';
import type { Settings } from './schema/settings.ts';
import type { SecretReference } from './secret.ts';

/** Names move from keys into their entries, paths become absolute. `file` is absolute. */
export function resolveSettings(settings: Settings, file: string): Configuration {
  const directory = dirname(file);
  const paths = new PathsOf(directory);
  const { authority, validation, limits, secrets, approvals, policy } = settings;
  return deepFreeze({
    file,
    directory,
    authority: { name: authority.name, data: paths.resolve(authority.data) },
    database: resolveDatabase(settings.database, paths),
    sqliteFile: paths.resolve(`${authority.data}/sallyport.db`),
    issuers: named(settings.issuers, (name, issuer) => resolveIssuer(name, issuer, paths)),
    listeners: named(settings.listeners, (name, listener) => resolveListener(name, listener, paths)),
    templates: named(settings.templates, resolveTemplate),
    staticChallenges: Object.fromEntries(
      Object.entries(settings.templates).flatMap(([name, { dangerousStaticChallenge: given }]) =>
        given === undefined ? [] : [[name, { ...given, challenge: paths.secret(given.challenge) }]],
      ),
    ),
    workflows: named(settings.workflows, (name, workflow) => resolveWorkflow(name, workflow, paths)),
    deviceClasses: named(settings.deviceClasses, resolveDeviceClass),
    identities: named(settings.identities, (name, { certificates, hardwareTypes, ...identity }) => ({
      name,
      ...identity,
      hardwareTypes: hardwareTypes ?? null,
      files: certificates.map((file) => paths.resolve(file)),
    })),
    attestation: {
      roots: named(
        settings.attestation.roots,
        (name, { certificates, intermediates, format, level, fingerprints }) => ({
          name,
          format,
          level: level ?? null,
          files: certificates.map((file) => paths.resolve(file)),
          intermediateFiles: intermediates.map((file) => paths.resolve(file)),
          fingerprints: fingerprints ?? null,
        }),
      ),
      statusLists: resolveStatusLists(settings.attestation.statusLists, paths),
      verifiers: named(settings.attestation.verifiers, (name, { ca, client, key, timeout, ...verifier }) => ({
        name,
        ...verifier,
        ca: paths.resolve(ca),
        client: { certificate: paths.resolve(client.certificate), key: paths.tlsKey(client.key) },
        key: paths.secret(key),
        timeoutSeconds: timeout,
      })),
    },
    validation: {
      resolvers: validation.resolvers,
      httpPort: validation.ports.http,
      tlsPort: validation.ports.tls,
      timeoutSeconds: validation.timeout,
      perspectives: Object.entries(validation.perspectives).map(([name, { resolvers, localAddress }]) => ({
        name,
        resolvers,
        localAddress: localAddress ?? null,
      })),
    },
    limits,
    secrets: {
      lifetimeSeconds: secrets.lifetime,
      maximumLifetimeSeconds: secrets.maximumLifetime,
      macKeys: secrets.macKeys.map(({ id, key }) => ({ id, key: paths.secret(key) })),
    },
    approvals: { lifetimeSeconds: approvals.lifetime, retryAfterSeconds: approvals.retryAfter },
    policy: {
      file: policy.file === undefined ? null : paths.resolve(policy.file),
      additional: policy.additional.map((path) => paths.resolve(path)),
    },
    log: resolveLog(settings.log, paths),
  });
}

class PathsOf {
  readonly #directory: string;

  constructor(directory: string) {
    this.#directory = directory;
  }

  resolve(path: string): string {
    return resolve(this.#directory, path);
  }

  secret(reference: SecretReference): SecretReference {
    return 'file' in reference ? { file: this.resolve(reference.file) } : reference;
  }

  tlsKey({
    file,
    passphrase,
  }: {
    file: string;
    passphrase?: SecretReference | undefined;
  }): TlsConfiguration['key'] {
    return {
      file: this.resolve(file),
      passphrase: passphrase === undefined ? null : this.secret(passphrase),
    };
  }

  key(key: EncryptedKeyFile): EncryptedKeyFile {
    return { file: this.resolve(key.file), passphrase: this.secret(key.passphrase) };
  }
}

function resolveDatabase({ postgres }: Settings['database'], paths: PathsOf): DatabaseConfiguration {
  if (postgres === undefined) {
    return { kind: 'sqlite' };
  }
  const { password, tls, ...given } = postgres;
  return {
    kind: 'postgres',
    ...given,
    password: password === undefined ? null : paths.secret(password),
    tls: tls === undefined || tls === 'none' ? null : { ca: paths.resolve(tls.ca) },
  };
}

function resolveIssuer(
  name: string,
  issuer: Settings['issuers'][string],
  paths: PathsOf,
): IssuerConfiguration {
  return {
    name,
    certificate: paths.resolve(issuer.certificate),
    chain: issuer.chain.map((path) => paths.resolve(path)),
    rollover: issuer.rollover.map((path) => paths.resolve(path)),
    key: paths.key(issuer.key),
    ra: issuer.ra === undefined ? null : { key: paths.key(issuer.ra.key) },
    next:
      issuer.next === undefined
        ? null
        : {
            certificate: paths.resolve(issuer.next.certificate),
            chain: issuer.next.chain.map((path) => paths.resolve(path)),
            ra: issuer.next.ra === undefined ? null : paths.resolve(issuer.next.ra),
          },
    crl: { lifetimeSeconds: issuer.crl.lifetime, refreshSeconds: issuer.crl.refresh },
    publicUrl: issuer.publicUrl,
  };
}

type ListenerSettings = Settings['listeners'][string];
type EnrollSettings = Extract<ListenerSettings, { class: 'enroll' }>;

function resolveListener(name: string, listener: ListenerSettings, paths: PathsOf): ListenerConfiguration {
  const { maximumBodyBytes, maximumConnections, requestTimeout } = listener;
  const bounds = { name, maximumBodyBytes, maximumConnections, requestTimeoutSeconds: requestTimeout };
  if (listener.class === 'admin') {
    return { class: 'admin', ...bounds, socket: paths.resolve(listener.socket) };
  }
  const { address, port, sources } = listener;
  const addressed = { ...bounds, address, port, sources };
  if (listener.class === 'public') return { class: 'public', ...addressed };
  if (listener.class === 'api') {
    const { tls, clients, jamf, radius, ndes } = listener;
    return {
      class: 'api',
      ...addressed,
      tls: resolveTls(tls, paths),
      clients,
      jamf: jamf === undefined ? null : { column: jamf.device.column, lifetimeSeconds: jamf.lifetime },
      radius: radius === undefined ? null : { ...radius.device, lifetimeSeconds: radius.lifetime },
      ndes:
        ndes === undefined
          ? null
          : { template: ndes.template, lifetimeSeconds: ndes.lifetime, maximumLive: ndes.maximumLive },
    };
  }
  const enrolling = {
    class: 'enroll' as const,
    ...addressed,
    protocols: resolveProtocols(listener.protocols),
  };
  return listener.class === 'enroll-http'
    ? { ...enrolling, tls: null, management: null }
    : {
        ...enrolling,
        tls: resolveTls(listener.tls, paths),
        management: listener.management?.certificates.map((file) => paths.resolve(file)) ?? null,
      };
}

function resolveTls(
  { certificate, issued, chain, key, minimum }: EnrollSettings['tls'],
  paths: PathsOf,
): TlsConfiguration {
  const common = {
    key: paths.tlsKey(key),
    minimum,
  };
  if (issued !== undefined) return { certificate: null, chain: [], issued, ...common };
  return {
    // The schema asks for one of the two.
    certificate: paths.resolve(certificate!),
    chain: chain.map((path) => paths.resolve(path)),
    issued: null,
    ...common,
  };
}

function resolveProtocols({
  est,
  scep,
  acme,
  attestation,
}: Partial<EnrollSettings['protocols']>): ProtocolsConfiguration {
  return {
    ...(est === undefined ? {} : { est: { ...est, defaultTemplate: est.defaultTemplate ?? null } }),
    ...(scep === undefined ? {} : { scep: { ...scep, defaultTemplate: scep.defaultTemplate ?? null } }),
    ...(acme === undefined ? {} : { acme: { ...acme, defaultTemplate: acme.defaultTemplate ?? null } }),
    ...(attestation === undefined ? {} : { attestation: { ...attestation, defaultTemplate: null } }),
  };
}

function resolveTemplate(name: string, settings: Settings['templates'][string]): Template {
  const { validity, renewalWindow, serverKeygen, dangerousStaticChallenge: _, acme, ...rest } = settings;
  const openFor = renewalWindow ?? Math.floor(validity / 3);
  return {
    name,
    ...rest,
    serverKeygen: serverKeygen ?? null,
    ...(acme === undefined ? {} : { acme: resolveAcme(acme) }),
    validitySeconds: validity,
    renewalWindowSeconds: openFor === 'always' ? validity : openFor,
  };
}

function resolveAcme(settings: NonNullable<Settings['templates'][string]['acme']>): AcmeTemplate {
  const { caa, orderLifetime, authorizationLifetime, ...rest } = settings;
  return {
    ...rest,
    caa: caa ?? null,
    orderSeconds: orderLifetime,
    authorizationSeconds: authorizationLifetime,
  };
}

function resolveWorkflow(
  name: string,
  { timeout, ca, ...workflow }: Settings['workflows'][string],
  paths: PathsOf,
): WorkflowConfiguration {
  const common = { name, timeoutSeconds: timeout, ca: ca === undefined ? null : paths.resolve(ca) };
  if (workflow.kind === 'webhook') return { ...common, ...workflow, key: paths.secret(workflow.key) };
  const { clientSecret, loginUrl, graphUrl, resourceUrl } = workflow;
  return {
    ...common,
    ...workflow,
    clientSecret: paths.secret(clientSecret),
    loginUrl: withoutSlash(loginUrl),
    graphUrl: withoutSlash(graphUrl),
    resourceUrl: withoutSlash(resourceUrl),
  };
}

const withoutSlash = (url: string) => url.replace(/\/+$/, '');

function resolveDeviceClass(name: string, settings: Settings['deviceClasses'][string]): DeviceClass {
  return {
    name,
    attestation: settings.attestation,
    evidence: resolveEvidence(settings.evidence),
    approval: settings.approval,
    templates: settings.templates ?? null,
    listeners: settings.listeners ?? null,
    maximumValiditySeconds: settings.maximumValidity ?? null,
  };
}

function resolveEvidence({
  tpm,
  idevid,
  apple,
  'android-key': android,
  step,
  endorsement,
  external,
}: Settings['deviceClasses'][string]['evidence']): NonNullable<DeviceClass['evidence']> {
  return {
    ...(tpm === undefined ? {} : { tpm: requirement(tpm, 'tpm') }),
    ...(idevid === undefined ? {} : { idevid: requirement(idevid, 'tpm') }),
    ...(apple === undefined ? {} : { apple: requirement(apple, 'apple') }),
    ...(android === undefined ? {} : { 'android-key': androidRequirement(android) }),
    ...(step === undefined ? {} : { step: requirement(step, 'step') }),
    ...(endorsement === undefined
      ? {}
      : { endorsement: requirement({ ...endorsement, device: byEndorsementKey }, 'endorsement') }),
    ...(external === undefined ? {} : { external: requirement({ ...external, roots: [] }, 'external') }),
  };
}

/** The store lets no two devices have the same. */
const byEndorsementKey = { from: 'endorsementKey', is: 'ekSha256', types: null } as const;

/** What is asked of evidence of any format, and what of this one alone. An entry of an earlier version has no word of lists where none is asked for. */
function requirement<
  Given extends Common & { readonly maximumStatusAge?: number | null },
  Name extends string,
>({ roots, levels, device, devicesPerAttestationKey, maximumStatusAge = null, ...own }: Given, name: Name) {
  const shared = devicesPerAttestationKey === undefined ? {} : { devicesPerAttestationKey };
  const age = maximumStatusAge === null ? {} : { maximumStatusAgeSeconds: maximumStatusAge };
  return { roots, levels, device, ...shared, ...age, [name]: own } as Common &
    Record<Name, Omit<Given, keyof Common | 'maximumStatusAge'>>;
}

type Common = Pick<EvidenceRequirement, 'roots' | 'levels' | 'device' | 'devicesPerAttestationKey'>;

function resolveStatusLists(
  { 'android-key': android, ...lists }: Settings['attestation']['statusLists'],
  paths: PathsOf,
): AttestationConfiguration['statusLists'] {
  const ofIssuers = listedFormats.flatMap((format) => {
    const files = lists[format].map((file) => paths.resolve(file));
    return files.length === 0 ? [] : [[format, files] as const];
  });
  return {
    ...(android === undefined ? {} : { 'android-key': paths.resolve(android) }),
    ...Object.fromEntries(ofIssuers),
  };
}

function androidRequirement({
  maximumStatusAge,
  ...given
}: NonNullable<Settings['deviceClasses'][string]['evidence']['android-key']>): EvidenceRequirement {
  return { ...requirement(given, 'android'), maximumStatusAgeSeconds: maximumStatusAge };
}

function resolveLog(log: Settings['log'], paths: PathsOf): LogConfiguration {
  return {
    origin: log.origin,
    key: paths.key(log.key),
    checkpointFile: paths.resolve(log.checkpointFile),
    anchorFolder: log.anchor === undefined ? null : paths.resolve(log.anchor.folder),
    checkpointIntervalSeconds: log.checkpointInterval,
    replayIntervalSeconds: log.replayInterval,
    sinks: named(log.sinks, (name, sink) => ({
      name,
      kind: 'ndjson',
      file: paths.resolve(sink.ndjson.file),
      personalFields: sink.ndjson.personalFields,
    })),
  };
}

function named<Entry, Resolved>(
  map: Readonly<Record<string, Entry>>,
  resolveEntry: (name: string, entry: Entry) => Resolved,
): Resolved[] {
  return Object.entries(map).map(([name, entry]) => resolveEntry(name, entry));
}

/** A configuration is shared by everything that runs: nobody changes it in passing. */
function deepFreeze<Value extends object>(value: Value): Value {
  for (const part of Object.values(value)) {
    if (typeof part === 'object' && part !== null) deepFreeze(part);
  }
  return Object.freeze(value);
}
