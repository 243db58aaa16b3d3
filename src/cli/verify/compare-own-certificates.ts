import { type Entry, sha256Hex } from '#enrollment';
import { isSallyportError } from '#errors';
import type { ReadOnlyStorage } from '#storage';
import { parseCertificate } from '#x509';
import type { Position } from './compare-certificates.ts';

type Stored = Awaited<ReturnType<ReadOnlyStorage['ownCertificates']>>[number];
type Report = (position: Position | null, message: string) => void;

interface Issued {
  readonly position: Position;
  readonly detail: Readonly<Record<string, unknown>>;
}

/** What each event tells of. */
const events = { 'ra.issued': 'ra', 'listener.issued': 'listener' } as const;

const words = { ra: 'an RA', listener: 'a listener' } as const;

/** The certificates of RAs and listeners: each has its entry, and the other way round, and each that is revoked the entry of what replaced it. */
export class OwnCertificateComparison {
  readonly #store: Pick<ReadOnlyStorage, 'ownCertificates'>;
  readonly #report: Report;
  readonly #issued = new Map<string, Issued>();
  readonly #replaced = new Map<string, Position>();

  constructor(store: Pick<ReadOnlyStorage, 'ownCertificates'>, report: Report) {
    this.#store = store;
    this.#report = report;
  }

  entry(position: Position, entry: Entry): void {
    if (entry.type !== 'authority' || !isEvent(entry.event)) return;
    const kind = events[entry.event];
    const { issuer, serialNumber, replaced } = entry.detail;
    this.#issued.set(nameOf(kind, issuer, serialNumber), { position, detail: entry.detail });
    for (const each of Array.isArray(replaced) ? (replaced as unknown[]) : []) {
      const name =
        typeof each === 'object' && each !== null
          ? nameOf(kind, (each as Partial<Stored>).issuer, (each as Partial<Stored>).serialNumber)
          : nameOf(kind, issuer, each);
      this.#replaced.set(name, position);
    }
  }

  /** After the last entry. */
  async end(): Promise<void> {
    const missing = new Map(this.#issued);
    const notRevoked = new Map(this.#replaced);
    for (const stored of await this.#store.ownCertificates()) {
      const name = nameOf(stored.kind, stored.issuer, stored.serialNumber);
      const issued = missing.get(name);
      missing.delete(name);
      const objection = objectionTo(stored, issued?.detail ?? null, this.#replaced.has(name));
      if (stored.revokedAt !== null) notRevoked.delete(name);
      if (objection !== null) {
        this.#report(issued?.position ?? null, `the certificate of ${name} ${objection}`);
      }
    }
    for (const [name, { position }] of missing) {
      this.#report(position, `the certificate of ${name} was issued, and is not in the store`);
      notRevoked.delete(name);
    }
    for (const [name, position] of notRevoked) {
      this.#report(position, `the certificate of ${name} was replaced, and is not revoked in the store`);
    }
  }
}

function isEvent(event: string): event is keyof typeof events {
  return Object.hasOwn(events, event);
}

function nameOf(kind: Stored['kind'], issuer: unknown, serialNumber: unknown): string {
  return `${words[kind]}, serial number ${String(serialNumber)} of ${String(issuer)},`;
}

/** What the row says decides what is used, and for how long it can be. */
function objectionTo(stored: Stored, logged: Issued['detail'] | null, wasReplaced: boolean): string | null {
  const { der, serialNumber, spki, notBefore, notAfter, revokedAt } = stored;
  if (logged === null) return 'is in the store, and its issuance is not in the log';
  if (sha256Hex(der) !== logged['sha256']) return 'has bytes in the store that were changed';
  if (revokedAt !== null && !wasReplaced) {
    return 'is revoked in the store, and nothing in the log replaced it';
  }
  const certificate = parsed(der);
  if (certificate === null) return 'has bytes in the store that are no certificate';
  return certificate.serialNumber === serialNumber &&
    sha256Hex(certificate.spki) === spki &&
    certificate.notBefore === notBefore &&
    certificate.notAfter === notAfter
    ? null
    : 'holds another key or validity than the store says';
}

function parsed(der: Uint8Array): ReturnType<typeof parseCertificate> | null {
  try {
    return parseCertificate(der);
  } catch (error) {
    if (isSallyportError(error)) return null;
    throw error;
  }
}
