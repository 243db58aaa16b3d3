import type { KeyObject } from 'node:crypto';
import type { Signer } from '#cms';
import { type Configuration, type EnrollListener, type Environment, readSecret } from '#config';
import { type Authority, type Enrollment, named, path } from '#enrollment';
import { estHandler } from '#est';
import { SallyportError } from '#errors';
import { openTransportKey, SoftwareKey } from '#keys';
import {
  publicDocuments,
  type PublicDocuments,
  readBody,
  type RunningListener,
  startListener,
  type TlsSettings,
} from '#server';
import { derToPem, parseCertificate, pemToDer } from '#x509';
import { readText, readTextNow } from './in-force.ts';

/** Where a listener is reached; what does not apply to its class is null. */
export interface ListenerAddress {
  readonly name: string;
  readonly class: 'public' | 'enroll' | 'admin';
  readonly address: string | null;
  readonly port: number | null;
  readonly socket: string | null;
  readonly url: string | null;
}

/** strongSwan's request line is short; a GET with a long target is SCEP's. */
const maximumHeaderBytes = 16_384;

export async function startListeners(ports: {
  configuration: Configuration;
  transportKeys: TransportKeys;
  documents: PublicDocuments;
  enrollment: Enrollment;
  authority: () => Authority;
  random: (n: number) => Uint8Array;
  /** Milliseconds since the epoch. */
  now: () => number;
  report: (fault: { id: string; error: unknown }) => void;
}): Promise<RunningListener[]> {
  const { configuration, transportKeys, documents, enrollment, authority, random, now, report } = ports;
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
      const tls = await tlsSettings(listener, transportKeys, authority());
      started.push(
        await startSigning(tls, async (keySigner) =>
          startListener({
            ...common,
            tls,
            handler: estHandler({
              enrollment,
              authority,
              readBody: (request, response) => readBody(request, response, listener.maximumBodyBytes),
              keySigner,
              random,
              now,
            }),
          }),
        ),
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
  start: (keySigner: () => Signer) => Promise<RunningListener>,
): Promise<RunningListener> {
  let signer = loadSigner(tls);
  const listener = await start(() => signer());
  return {
    ...listener,
    prepareTls(renewed) {
      const putInForce = listener.prepareTls(renewed);
      const next = loadSigner(renewed);
      return () => {
        putInForce();
        signer = next;
      };
    },
  };
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
  configuration: Configuration,
  transportKeys: TransportKeys,
  authority: Authority,
): Promise<() => void> {
  const prepared: (() => void)[] = [];
  for (const listener of configuration.listeners) {
    if (listener.class !== 'enroll') continue;
    const settings = await tlsSettings(listener, transportKeys, authority);
    prepared.push(running.find(({ name }) => name === listener.name)!.prepareTls(settings));
  }
  return () => {
    for (const putInForce of prepared) putInForce();
  };
}

const day = 86_400_000;
const warnedBefore = 30 * day;

/** What an operator must know before clients do: listeners whose certificate ends soon, or has ended. */
export async function endingCertificates(configuration: Configuration, now: number): Promise<string[]> {
  const enrolling = configuration.listeners.filter((listener) => listener.class === 'enroll');
  const warnings = await Promise.all(
    enrolling.map(async ({ name, tls }) => {
      const [der] = pemToDer(await readText(tls.certificate), 'CERTIFICATE');
      const { notAfter } = parseCertificate(der!);
      const end = new Date(notAfter).toISOString();
      return notAfter - now > warnedBefore
        ? []
        : [`the certificate of listener ${name} ends on ${end}: replace ${tls.certificate}, then kill -HUP`];
    }),
  );
  return warnings.flat();
}

async function tlsSettings(
  { name, tls }: EnrollListener,
  transportKeys: TransportKeys,
  { issuers, identityCas, hintedCas }: Authority,
): Promise<TlsSettings> {
  const certificates = await Promise.all([tls.certificate, ...tls.chain].map(readText));
  return {
    certificate: certificates.join('\n'),
    key: transportKeys.get(name)!,
    minimum: tls.minimum,
    // Clients send a certificate only where its issuer is named to them (Bouncy Castle, most others).
    clientCas: [
      ...[...issuers.values()].flatMap(({ issuer }) => path(issuer)),
      ...identityCas,
      ...hintedCas,
    ].map(({ der }) => derToPem(der, 'CERTIFICATE')),
  };
}

/** Of each listener that has TLS, by its name. */
export type TransportKeys = ReadonlyMap<string, KeyObject>;

/** @throws SallyportError 'config', naming the listener */
export async function openTransportKeys(
  configuration: Configuration,
  environment: Environment,
): Promise<TransportKeys> {
  const enrolling = configuration.listeners.filter((listener) => listener.class === 'enroll');
  const opening = enrolling.map(async ({ name, tls: { key } }) => {
    const pem = readTextNow(key.file);
    const passphrase =
      key.passphrase === null ? undefined : readSecret(key.passphrase, configuration.directory, environment);
    try {
      return [name, await openTransportKey(pem, passphrase)] as const;
    } catch (cause) {
      const words = cause instanceof Error ? cause.message : String(cause);
      throw new SallyportError('config', `listener ${name} cannot use its certificate and key: ${words}`, {
        cause,
      });
    }
  });
  return new Map(await Promise.all(opening));
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
    const url = `${listener.class === 'enroll' ? 'https' : 'http'}://${host}:${port}`;
    return { name, class: listener.class, address, port, socket: null, url };
  });
}
