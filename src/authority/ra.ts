import { hash } from 'node:crypto';
import type { AdminStore, StoredRaCertificate } from '#admin';
import { randomSerialNumber, revocationReasons, signRaCertificate } from '#ca';
import { type Configuration, type Environment, readSecret } from '#config';
import { type Authority, type Clock, type IssuerInForce, sha256Hex } from '#enrollment';
import { isSallyportError, SallyportError } from '#errors';
import { MessageKey, openTransportKey } from '#keys';
import { buildName, type Certificate, equalBytes, parseCertificate, verifyCertificateSignature } from '#x509';
import type { RaInForce } from '#scep';
import { eventEntry } from './event-entry.ts';
import { readTextNow } from './read-text.ts';
import { wholeSecond } from './whole-second.ts';

const hour = 3_600_000;
const lifetime = 365 * 24 * hour;
/** A third of the life is time to mend a node that stands still. */
const renewedBefore = lifetime / 3;
/** For clients whose clock lags. */
const backdate = hour;
const readAgainMilliseconds = 1000;

/** By the name of their issuer. */
export type RaKeys = ReadonlyMap<string, MessageKey>;

/** @throws SallyportError 'config', naming the issuer */
export async function openRaKeys(configuration: Configuration, environment: Environment): Promise<RaKeys> {
  const opening = configuration.issuers.map(async ({ name, ra }) => {
    if (ra === null) return [];
    const pem = readTextNow(ra.key.file);
    const passphrase = readSecret(ra.key.passphrase, configuration.directory, environment);
    try {
      return [[name, new MessageKey(await openTransportKey(pem, passphrase))] as const];
    } catch (cause) {
      const words = cause instanceof Error ? cause.message : String(cause);
      throw new SallyportError('config', `issuer ${name} cannot use the key of its RA: ${words}`, { cause });
    }
  });
  return new Map((await Promise.all(opening)).flat());
}

export interface RaPorts {
  readonly store: Pick<AdminStore, 'raCertificates' | 'saveRaCertificate'>;
  readonly clock: Clock;
  readonly random: (n: number) => Uint8Array;
  /** Of the authority: the RA is named after it. */
  readonly name: string;
}

/** One RA, as messages find it: its certificates follow by themselves. */
export interface Ra extends RaInForce {
  /**
   * Reads what there is, and issues a certificate where the newest ends soon. Another key is put in force at the start alone: two nodes with one each would else replace each other's
   * for ever.
   * @throws SallyportError 'config' where another node has put another key in force
   */
  refresh(): Promise<void>;
}

/** Of each issuer that has a key for it. One whose certificate has ended has none: that must not keep the others from starting. */
export async function startRas(
  keys: RaKeys,
  { issuers }: Pick<Authority, 'issuers'>,
  ports: RaPorts,
  report: (fault: { id: string; error: unknown }) => void,
): Promise<ReadonlyMap<string, Ra>> {
  const starting = [...keys].map(async ([name, key]) => {
    const issuer = issuers.get(name)!;
    if (wholeSecond(ports.clock.now()) < wholeSecond(issuer.issuer.certificate.notAfter)) {
      return [[name, await startRa(key, issuer, ports)] as const];
    }
    const words = `issuer ${name} has ended: it has no RA any more, and SCEP is not served for its templates`;
    report({ id: 'ra', error: new SallyportError('config', words) });
    return [];
  });
  return new Map((await Promise.all(starting)).flat());
}

/** With a certificate. One of another key is revoked with it. */
export async function startRa(key: MessageKey, issuer: IssuerInForce, ports: RaPorts): Promise<Ra> {
  const spki = sha256Hex(key.spki);
  const { name } = issuer.issuer;
  /** A row that is none of ours, whoever wrote it, is none. */
  const ofOurs = ({ der }: StoredRaCertificate): Certificate[] => {
    try {
      const certificate = parseCertificate(der);
      const isOurs =
        equalBytes(certificate.spki, key.spki) &&
        verifyCertificateSignature(certificate, issuer.issuer.certificate.spki);
      return isOurs ? [certificate] : [];
    } catch {
      return [];
    }
  };
  const read = async (begins: boolean): Promise<readonly Certificate[]> => {
    for (;;) {
      const now = ports.clock.now();
      const found = await ports.store.raCertificates(name, now);
      const own = found.filter((one) => one.spki === spki);
      const certified = own.flatMap(ofOurs);
      if (!begins && found[0] !== undefined && own.length === 0) {
        throw new SallyportError(
          'config',
          `issuer ${name}: another node has another key for the RA: give all of them one, and start this one again`,
        );
      }
      if (certified[0] !== undefined && !isDue(certified[0], issuer, now)) return certified;
      try {
        await renew({ key, spki, issuer, found, now }, ports);
      } catch (error) {
        // Another node did it meanwhile.
        if (!isSallyportError(error, 'conflict')) throw error;
      }
    }
  };
  let certificates = await read(true);
  let readAt = ports.clock.now();
  const refresh = async () => {
    certificates = await read(false);
  };
  return {
    key,
    certificates: () => certificates,
    refresh,
    async readAgain() {
      const now = ports.clock.now();
      if (Math.abs(now - readAt) >= readAgainMilliseconds) {
        readAt = now;
        // What is wrong the job says, once a minute; here the message is not for us.
        await refresh().catch(() => undefined);
      }
      return certificates;
    },
  };
}

/** Not where a new one would end no later: with the issuer. */
function isDue({ notAfter }: Pick<Certificate, 'notAfter'>, { issuer }: IssuerInForce, now: number): boolean {
  return notAfter - now < renewedBefore && notAfter < wholeSecond(issuer.certificate.notAfter);
}

async function renew(
  { key, spki, issuer: inForce, found, now }: Renewing,
  { store, random, name }: RaPorts,
): Promise<void> {
  const { issuer } = inForce;
  const { notBefore: begin, notAfter: end } = issuer.certificate;
  const notBefore = Math.max(wholeSecond(now - backdate), begin);
  const notAfter = Math.min(wholeSecond(now + lifetime), end);
  const serialNumber = randomSerialNumber(random);
  const { der } = await signRaCertificate({
    ...inForce,
    subject: buildName([{ type: 'commonName', value: `${name} RA` }]),
    spki: key.spki,
    serialNumber,
    notBefore,
    notAfter,
  });
  const replaced = found
    .filter((one) => one.spki !== spki)
    .map((one) => ({ serialNumber: one.serialNumber, reason: revocationReasons.superseded }));
  const detail = {
    issuer: issuer.name,
    serialNumber,
    sha256: hash('sha256', der),
    notBefore,
    notAfter,
    replaced: replaced.map((one) => one.serialNumber),
  };
  await store.saveRaCertificate({
    issuer: issuer.name,
    certificate: { serialNumber, spki, notBefore, notAfter, der },
    newest: found[0]?.serialNumber ?? null,
    replaced,
    now,
    entry: eventEntry('ra.issued', detail, now, random),
  });
}

interface Renewing {
  readonly key: MessageKey;
  readonly spki: string;
  readonly issuer: IssuerInForce;
  readonly found: readonly StoredRaCertificate[];
  readonly now: number;
}
