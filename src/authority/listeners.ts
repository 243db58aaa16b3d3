import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Signer } from '#cms';
import { acmeHandler, type AcmePorts, isAcmeTarget, type Validations } from '#acme';
import { attestationHandler, isAttestationTarget } from '#attestation';
import { type ApiPorts, apiHandler } from '#api';
import type { Issuer } from '#ca';
import type { ApiListener, Configuration, TlsListener } from '#config';
import { type Activations, type Authority, type Enrollment, named, path } from '#enrollment';
import { estHandler, isEstTarget } from '#est';
import { SoftwareKey } from '#keys';
import { type RateLimit, SourceLimit } from '#limits';
import { type RaInForce, scepHandler, type ScepPorts } from '#scep';
import {
  type Handler,
  publicDocuments,
  type PublicDocuments,
  readBody,
  type RunningListener,
  startListener,
  type TlsSettings,
} from '#server';
import { type Certificate, derToPem, equalBytes, type GeneralName, parseCertificate, pemToDer } from '#x509';
import { isHostOf } from './own-hosts.ts';
import { readText } from './read-text.ts';
import type { IssuedCertificates, ListenerState } from './listener-certificates.ts';
import { listenersWithTls, type TransportKeys } from './transport-keys.ts';

/** Where a listener is reached; what does not apply to its class is null. */
export interface ListenerAddress {
  readonly name: string;
  readonly class: 'public' | 'enroll' | 'api' | 'admin';
  readonly address: string | null;
  readonly port: number | null;
  readonly socket: string | null;
  readonly url: string | null;
}

/** A GET with a message in its target is SCEP's: 32 KiB of it, and the headers. */
const maximumHeaderBytes = 40_960;

export async function startListeners(ports: {
  configuration: Configuration;
  transportKeys: TransportKeys;
  issued: IssuedCertificates;
  documents: PublicDocuments;
  enrollment: Enrollment;
  activations: Activations;
  authority: () => Authority;
  /** By the name of their issuer. */
  ras: ReadonlyMap<string, RaInForce>;
  /** What SCEP asks of the store. */
  lookUp: Pick<ScepPorts, 'polled' | 'certificate' | 'crl'>;
  acme: Pick<AcmePorts, 'store' | 'validate' | 'revoked'> & { readonly validations: Validations };
  /** Of messages that a source may send in vain. */
  unopenedLimit: () => RateLimit;
  api: Pick<ApiPorts, 'admin' | 'store'>;
  /** The configuration that is in force. */
  inForce: () => Configuration;
  random: (n: number) => Uint8Array;
  /** Milliseconds since the epoch. */
  now: () => number;
  report: (fault: { id: string; error: unknown }) => void;
}): Promise<RunningListener[]> {
  const { configuration, documents, enrollment, authority, ras, lookUp, unopenedLimit, random, now, report } =
    ports;
  const unopened = new SourceLimit(unopenedLimit);
  const started: RunningListener[] = [];
  try {
    for (const listener of configuration.listeners) {
      if (listener.class === 'admin') continue;
      const { name, address, port, maximumConnections, requestTimeoutSeconds } = listener;
      const common = {
        name,
        address,
        port,
        maximumConnections,
        requestTimeoutSeconds,
        maximumHeaderBytes,
        report: (error: unknown) => report({ id: `listener ${name}`, error }),
      };
      if (listener.class === 'public') {
        const handler = publicDocuments(
          documents,
          () => named(authority().references.listeners, name)?.sources ?? [],
        );
        started.push(await startListener({ ...common, tls: null, handler }));
        continue;
      }
      if (listener.class === 'api') {
        const handler = apiHandler({
          ...ports.api,
          listener: () => apiListener(ports.inForce(), name),
          sourceLimit: () => authority().references.limits.source,
          readBody: (request, response) => readBody(request, response, listener.maximumBodyBytes),
        });
        const tls = await tlsSettings(listener, { ...ports, authority: authority() }, ports.issued);
        started.push(await startListener({ ...common, tls, clientCertificates: listener.clients, handler }));
        continue;
      }
      const shared = {
        enrollment,
        authority,
        readBody: (request: IncomingMessage, response: ServerResponse) =>
          readBody(request, response, listener.maximumBodyBytes),
        random,
        now,
      };
      const scep = scepHandler({
        ...shared,
        ...lookUp,
        unopened,
        ra: (issuer) => ras.get(issuer) ?? null,
      });
      if (listener.tls === null) {
        started.push(await startListener({ ...common, tls: null, handler: scep }));
        continue;
      }
      const tls = await tlsSettings(listener, { ...ports, authority: authority() }, ports.issued);
      started.push(
        await startSigning(tls, async (keySigner, names) => {
          const { validations, ...acmePorts } = ports.acme;
          const acme = acmeHandler(
            { ...shared, ...acmePorts, report, isOwnHost: (host) => isHostOf(host, names()) },
            validations,
          );
          const est = estHandler({ ...shared, keySigner });
          const attestation = attestationHandler({ ...shared, activations: ports.activations });
          const served = () => named(authority().references.listeners, name)?.protocols;
          const handler: Handler = (request, ...rest) => {
            const { url = '' } = request;
            if (served()?.acme !== undefined && isAcmeTarget(url)) return acme(request, ...rest);
            if (served()?.attestation !== undefined && isAttestationTarget(url)) {
              return attestation(request, ...rest);
            }
            return served()?.scep !== undefined && !isEstTarget(url)
              ? scep(request, ...rest)
              : est(request, ...rest);
          };
          return startListener({ ...common, tls, handler });
        }),
      );
    }
    return started;
  } catch (error) {
    await Promise.all(started.map((listener) => listener.close()));
    throw error;
  }
}

/** A listener that signs, with the certificate and key that it has: the new ones are in force for both at once. */
async function startSigning(
  tls: TlsSettings,
  start: (keySigner: () => Signer, names: () => readonly GeneralName[]) => Promise<RunningListener>,
): Promise<RunningListener> {
  let signer = loadSigner(tls);
  let names = namesOf(tls);
  const listener = await start(
    () => signer(),
    () => names,
  );
  return {
    ...listener,
    prepareTls(renewed) {
      const putInForce = listener.prepareTls(renewed);
      const next = loadSigner(renewed);
      return () => {
        putInForce();
        signer = next;
        names = namesOf(renewed);
      };
    },
  };
}

/** What its certificate names: only so can it be reached. */
function namesOf({ certificate }: TlsSettings): readonly GeneralName[] {
  return parseCertificate(pemToDer(certificate, 'CERTIFICATE')[0]!).subjectAltName;
}

/**
 * Loaded with the listener, never for a request. TLS takes kinds of keys that sign nothing else here; then asking for the signer fails, and no key is delivered encrypted.
 */
function loadSigner({ certificate, key }: TlsSettings): () => Signer {
  try {
    const [own, ...chain] = pemToDer(certificate, 'CERTIFICATE');
    const signer = { certificate: parseCertificate(own!), chain, key: new SoftwareKey(key) };
    return () => signer;
  } catch (error) {
    return () => {
      throw error;
    };
  }
}

/**
 * Reads the listeners' certificates and keys again, and returns what puts all of them in force.
 * @throws SallyportError 'config' where one cannot be used; then none is
 */
export async function prepareListeners(
  running: readonly RunningListener[],
  state: ListenerState,
  issued: IssuedCertificates,
): Promise<() => void> {
  const prepared: (() => void)[] = [];
  for (const listener of listenersWithTls(state.configuration)) {
    prepared.push(await prepareListener(running, listener, state, issued));
  }
  return () => {
    for (const putInForce of prepared) putInForce();
  };
}

/** The same for one. */
export async function prepareListener(
  running: readonly RunningListener[],
  listener: TlsListener | ApiListener,
  state: ListenerState,
  issued: IssuedCertificates,
): Promise<() => void> {
  const settings = await tlsSettings(listener, state, issued);
  return running.find(({ name }) => name === listener.name)!.prepareTls(settings);
}

/** None is taken away without a restart. */
function apiListener({ listeners }: Configuration, wanted: string): ApiListener {
  return listeners.find(
    (listener): listener is ApiListener => listener.class === 'api' && listener.name === wanted,
  )!;
}

async function tlsSettings(
  listener: TlsListener | ApiListener,
  { transportKeys, authority }: Omit<ListenerState, 'configuration'>,
  issued: IssuedCertificates,
): Promise<TlsSettings> {
  const { name, tls } = listener;
  const { issuers, identityCas, hintedCas, managementCertificates } = authority;
  return {
    certificate:
      tls.issued === null
        ? (await Promise.all([tls.certificate, ...tls.chain].map(readText))).join('\n')
        : sentWith(issued.get(name)!, issuers.get(tls.issued.issuer)!.issuer),
    key: transportKeys.get(name)!,
    minimum: tls.minimum,
    // Clients send a certificate only where its issuer is named to them (Bouncy Castle, most others). Who pins certificates, and whom machines are
    // certified by, is not known here: where no issuer is named, they send what they have (RFC 8446 section 4.2.4).
    clientCas: (listener.class === 'api'
      ? []
      : (managementCertificates.get(name)?.filter(({ isCa }) => isCa) ?? [
          ...[...issuers.values()].flatMap(({ issuer }) => path(issuer)),
          ...identityCas,
          ...hintedCas,
        ])
    ).map(({ der }) => derToPem(der, 'CERTIFICATE')),
  };
}

/**
 * RFC 8446 section 4.4.2: the server's own certificate first, then what certifies it; the root clients have. Those that have the root before it alone are led there by the new one's key
 * as the old one certified it (RFC 4210 section 4.4: NewWithOld).
 */
function sentWith(certificate: Certificate, issuer: Issuer): string {
  const above = path(issuer);
  const root = above.at(-1)!;
  const newWithOld = issuer.rollover.filter(
    ({ spki, der }) => equalBytes(spki, root.spki) && !equalBytes(der, root.der),
  );
  return [certificate, ...above.slice(0, -1), ...newWithOld]
    .map(({ der }) => derToPem(der, 'CERTIFICATE'))
    .join('');
}

export function describeListeners(
  configuration: Configuration,
  listeners: readonly RunningListener[],
): ListenerAddress[] {
  return configuration.listeners.map((listener) => {
    if (listener.class === 'admin') {
      return {
        name: listener.name,
        class: listener.class,
        address: null,
        port: null,
        socket: listener.socket,
        url: null,
      };
    }
    const { name, address, port } = listeners.find((running) => running.name === listener.name)!;
    const host = address.includes(':') ? `[${address}]` : address;
    const hasTls = listener.class === 'api' || (listener.class === 'enroll' && listener.tls !== null);
    const url = `${hasTls ? 'https' : 'http'}://${host}:${port}`;
    return { name, class: listener.class, address, port, socket: null, url };
  });
}
