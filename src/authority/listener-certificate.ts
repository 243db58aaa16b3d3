import { createPublicKey, hash, type KeyObject } from 'node:crypto';
import type { AdminStore, StoredListenerCertificate } from '#admin';
import { randomSerialNumber, revocationReasons, signListenerCertificate } from '#ca';
import { type Clock, type IssuerInForce, sha256Hex } from '#enrollment';
import { SallyportError } from '#errors';
import {
  type Certificate,
  equalBytes,
  extendedKeyUsages,
  type GeneralName,
  parseCertificate,
  sameGeneralNames,
  verifyCertificateSignature,
} from '#x509';
import { eventEntry } from './event-entry.ts';
import { wholeSecond } from './whole-second.ts';

const hour = 3_600_000;
const lifetime = 90 * 24 * hour;
/** A third of the life is time to mend what keeps another one from being issued. */
const renewedBefore = lifetime / 3;
/** For clients whose clock lags. */
const backdate = hour;

export interface ListenerCertificatePorts {
  readonly store: Pick<AdminStore, 'listenerCertificates' | 'saveListenerCertificates'>;
  readonly clock: Clock;
  readonly random: (n: number) => Uint8Array;
  /** Of several over one database; null: there is one. */
  readonly node: string | null;
}

export interface WantedCertificate {
  readonly listener: string;
  readonly key: KeyObject;
  readonly issuer: IssuerInForce;
  /** Hosts and addresses. */
  readonly names: readonly GeneralName[];
}

type Saving = Parameters<AdminStore['saveListenerCertificates']>[0][number];

export interface ChosenCertificate {
  readonly listener: string;
  readonly certificate: Certificate;
  /** What is saved before it is in force; null: the store has it already. */
  readonly saving: Saving | null;
  /** Why it is the one before still, though it is time for another; null: it is not. */
  readonly fault: SallyportError | null;
}

/**
 * The certificate of the store that is current for this key, these names and this issuer; where there is none, or it ends soon, another one, which is signed and not saved yet. What
 * cannot be renewed is used to its end.
 * @throws SallyportError 'config' where there is none, and none can be issued
 */
export async function chooseListenerCertificate(
  wanted: WantedCertificate,
  ports: ListenerCertificatePorts,
): Promise<ChosenCertificate> {
  const { listener, issuer } = wanted;
  const holder = { node: ports.node ?? '', listener };
  const now = ports.clock.now();
  const spki = createPublicKey(wanted.key).export({ type: 'spki', format: 'der' });
  const found = await ports.store.listenerCertificates(holder, now);
  const [current] = found.flatMap((row) => certificateOf(row, { ...wanted, spki, now }));
  if (current !== undefined && !isDue(current, issuer, now)) {
    return { listener, certificate: current, saving: null, fault: null };
  }
  try {
    const { certificate, saving } = await sign({ ...wanted, spki, holder, found, now }, ports);
    return { listener, certificate, saving, fault: null };
  } catch (cause) {
    const fault = notIssued(wanted, current ?? null, cause);
    if (current === undefined) throw fault;
    return { listener, certificate: current, saving: null, fault };
  }
}

interface Sought extends WantedCertificate {
  readonly spki: Uint8Array;
  readonly now: number;
}

/** A row that is none of ours, whoever wrote it, is none. */
function certificateOf(
  { der, serialNumber }: StoredListenerCertificate,
  { issuer: { issuer }, names, spki, now }: Sought,
): Certificate[] {
  try {
    const certificate = parseCertificate(der);
    const isOurs =
      certificate.serialNumber === serialNumber &&
      equalBytes(certificate.spki, spki) &&
      verifyCertificateSignature(certificate, issuer.certificate.spki) &&
      sameGeneralNames(certificate.subjectAltName, names) &&
      (certificate.extendedKeyUsage?.includes(extendedKeyUsages.serverAuth) ?? false);
    return isOurs && certificate.notBefore <= now && now < certificate.notAfter ? [certificate] : [];
  } catch {
    return [];
  }
}

/** Not where a new one would end no later: with the issuer. */
function isDue({ notAfter }: Pick<Certificate, 'notAfter'>, { issuer }: IssuerInForce, now: number): boolean {
  return notAfter - now < renewedBefore && notAfter < wholeSecond(issuer.certificate.notAfter);
}

interface Signing extends Sought {
  readonly holder: Saving['holder'];
  readonly found: readonly StoredListenerCertificate[];
}

async function sign(
  { issuer: inForce, names, spki: key, holder, found, now }: Signing,
  { random }: Pick<ListenerCertificatePorts, 'random'>,
): Promise<{ certificate: Certificate; saving: Saving }> {
  const { issuer, crlUrls, caIssuersUrls } = inForce;
  const { notBefore: begin, notAfter: end } = issuer.certificate;
  const notBefore = Math.max(wholeSecond(now - backdate), begin);
  const notAfter = Math.min(wholeSecond(now + lifetime), wholeSecond(end));
  if (notAfter <= now) throw new SallyportError('config', `issuer ${issuer.name} has ended`);
  const serialNumber = randomSerialNumber(random);
  const certificate = await signListenerCertificate({
    issuer,
    crlUrls,
    caIssuersUrls,
    subjectAltName: names,
    spki: key,
    serialNumber,
    notBefore,
    notAfter,
  });
  const { der } = certificate;
  const spki = sha256Hex(key);
  const replaced = found
    .filter((one) => one.spki !== spki)
    .map((one) => ({ issuer: one.issuer, serialNumber: one.serialNumber }));
  const detail = {
    listener: holder.listener,
    ...(holder.node === '' ? {} : { node: holder.node }),
    issuer: issuer.name,
    serialNumber,
    sha256: hash('sha256', der),
    names: names.map(({ value }) => value),
    notBefore,
    notAfter,
    replaced,
  };
  return {
    certificate,
    saving: {
      holder,
      certificate: { issuer: issuer.name, serialNumber, spki, notBefore, notAfter, der },
      known: found.map((one) => one.serialNumber),
      replaced: replaced.map((one) => ({ ...one, reason: revocationReasons.superseded })),
      now,
      entry: eventEntry('listener.issued', detail, now, random),
    },
  };
}

function notIssued(
  { listener, issuer }: WantedCertificate,
  current: Certificate | null,
  cause: unknown,
): SallyportError {
  const words = cause instanceof Error ? cause.message : String(cause);
  const meanwhile =
    current === null
      ? 'name another issuer, or a certificate of somebody else'
      : `the one that it has ends on ${new Date(current.notAfter).toISOString()}`;
  return new SallyportError(
    'config',
    `issuer ${issuer.issuer.name} cannot certify listener ${listener}: ${words}; ${meanwhile}`,
    { cause },
  );
}
