import { type RequestEntry, sha256Hex } from '#enrollment';
import type { ReadOnlyStorage } from '#storage';
import { parseCertificate } from '#x509';

type Stored = ReturnType<ReadOnlyStorage['certificates']> extends AsyncIterable<infer Item> ? Item : never;

/** Where an entry stands: a database that was restored has several logs. */
export interface Position {
  readonly log: number;
  readonly logIndex: number;
}

/** What is known of a certificate without its names and its bytes. */
export interface Certified {
  readonly notBefore: number;
  readonly notAfter: number;
  /** null: it is not known. */
  readonly spki: string | null;
}

type Report = (position: Position | null, message: string) => void;

/**
 * Every certificate of the store has its 'issued' entry, and the other way round; so have revocations their acts. Certificates come in the
 * order of the logs, so both are walked side by side, and only what is revoked is held in memory.
 */
export class CertificateComparison {
  readonly #stored: AsyncIterator<Stored>;
  readonly #report: Report;
  #next: Stored | null = null;
  #count = 0;
  /** By SHA-256: the entry that revokes, and the certificate's own entry. */
  readonly #revokedInLog = new Map<string, Position>();
  readonly #revokedInStore = new Map<string, Position>();

  private constructor(stored: AsyncIterable<Stored>, report: Report) {
    this.#stored = stored[Symbol.asyncIterator]();
    this.#report = report;
  }

  static async start(stored: AsyncIterable<Stored>, report: Report): Promise<CertificateComparison> {
    const comparison = new CertificateComparison(stored, report);
    await comparison.#advance();
    return comparison;
  }

  /** Certificates seen in the store. */
  get count(): number {
    return this.#count;
  }

  /**
   * For each entry, in order; `issued` is the certificate that it says was issued, `isAbsent` that its personal fields are not there: erased, the
   * certificate's bytes went with them; `certified` what it must have been all the same.
   */
  async entry(
    position: Position,
    issued: RequestEntry['certificate'],
    isAbsent = false,
    certified: Certified | null = null,
  ): Promise<void> {
    let matched = false;
    while (this.#next !== null && !isBefore(position, this.#next)) {
      const stored = this.#next;
      if (isBefore(stored, position) || issued === null) this.#reportUnlogged(stored);
      else matched = this.#compare(stored, issued, isAbsent, certified) || matched;
      await this.#advance();
    }
    if (issued !== null && this.#revokedInLog.has(issued.predecessor ?? '')) {
      this.#report(position, 'a certificate was renewed that had been revoked');
    }
    if (issued !== null && !matched) {
      this.#report(position, `certificate ${issued.serialNumber} was issued, and is not in the store`);
    }
  }

  /** The entry says that this certificate was revoked. */
  revoked(position: Position, sha256: string): void {
    this.#revokedInLog.set(sha256, position);
  }

  /** After the last entry. */
  async end(): Promise<void> {
    for (; this.#next !== null; await this.#advance()) this.#reportUnlogged(this.#next);
    for (const [sha256, position] of this.#revokedInLog) {
      if (!this.#revokedInStore.has(sha256)) {
        this.#report(position, `certificate ${sha256} was revoked, and is not revoked in the store`);
      }
    }
    for (const [sha256, position] of this.#revokedInStore) {
      if (!this.#revokedInLog.has(sha256)) {
        this.#report(
          position,
          `certificate ${sha256} is revoked in the store, and no act in the log revoked it`,
        );
      }
    }
  }

  #compare(
    stored: Stored,
    issued: NonNullable<RequestEntry['certificate']>,
    isAbsent: boolean,
    certified: Certified | null,
  ): boolean {
    const { serialNumber, sha256 } = stored;
    if (sha256 !== issued.sha256 || serialNumber !== issued.serialNumber) {
      this.#report(stored, `the store has certificate ${serialNumber} here, the log ${issued.serialNumber}`);
      return true;
    }
    const bytes = isAbsent ? erasedObjection(stored, certified) : bytesObjection(stored);
    const objection = bytes ?? rowObjection(stored, issued, isAbsent);
    if (objection !== null) this.#report(stored, `certificate ${serialNumber}: ${objection}`);
    return true;
  }

  #reportUnlogged(stored: Stored): void {
    this.#report(
      stored,
      `certificate ${stored.serialNumber} is in the store, and its issuance is not in the log`,
    );
  }

  async #advance(): Promise<void> {
    const result = await this.#stored.next();
    this.#next = result.done === true ? null : result.value;
    if (this.#next === null) return;
    this.#count += 1;
    if (this.#next.revokedAt !== null) this.#revokedInStore.set(this.#next.sha256, this.#next);
  }
}

function isBefore(left: Position, right: Position): boolean {
  return left.log < right.log || (left.log === right.log && left.logIndex < right.logIndex);
}

/** Its end decides how long it stands on the CRL, and its key who else may have that. */
function erasedObjection(
  { der, spki, notBefore, notAfter }: Stored,
  certified: Certified | null,
): string | null {
  if (der.length > 0) return 'its bytes are there, and the personal fields of its entry are not';
  if (certified === null) return null;
  if (certified.spki !== null && certified.spki !== spki) return 'the store has another key than the log';
  return certified.notBefore === notBefore && certified.notAfter === notAfter
    ? null
    : 'the store has another validity than follows from the log';
}

function bytesObjection({ der, sha256, serialNumber, spki, notBefore, notAfter }: Stored): string | null {
  if (der.length === 0) return 'its bytes in the store are not there';
  if (sha256Hex(der) !== sha256) return 'its bytes in the store were changed';
  const certificate = parseCertificate(der);
  if (certificate.serialNumber !== serialNumber) return 'its bytes hold another serial number';
  if (sha256Hex(certificate.spki) !== spki) return 'its bytes hold another key than the store says';
  return certificate.notBefore === notBefore && certificate.notAfter === notAfter
    ? null
    : 'its bytes hold another validity than the store says';
}

/** What the store says beside the bytes decides what a renewal is allowed. */
function rowObjection(
  stored: Stored,
  issued: NonNullable<RequestEntry['certificate']>,
  isAbsent: boolean,
): string | null {
  const kept = ['issuer', 'template', 'predecessor'] as const;
  // An erased device has another id in the store, and none in the log.
  const compared = isAbsent ? kept : ([...kept, 'deviceId'] as const);
  const other = compared.find((name) => stored[name] !== issued[name]);
  return other === undefined ? null : `the store has another ${words[other]} than the log`;
}

const words = {
  issuer: 'issuer',
  template: 'template',
  deviceId: 'device',
  predecessor: 'predecessor',
} as const;
