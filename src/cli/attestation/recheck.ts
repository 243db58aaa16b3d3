import { revocationReasons } from '#ca';
import {
  type AttesterNow,
  attesterOf,
  type AttesterQuery,
  type RequestEntry,
  readEntries,
  recheckEvidence,
  type References,
  type StatusLists,
} from '#enrollment';
import { type EvidenceFault, isAttestationKeyCertificate } from '#evidence';
import type { ReadOnlyStorage } from '#storage';
import { type Der, parseCertificate } from '#x509';
import { type LogOfStorage, logsOf } from '../verify/logs-of.ts';

/** A live certificate, and what stands against the evidence that it rests on. */
export interface FallenCertificate {
  readonly sha256: string;
  readonly serialNumber: string;
  readonly issuer: string;
  readonly device: string;
  readonly template: string;
  readonly format: string;
  readonly problems: readonly EvidenceFault[];
}

export interface Recheck {
  /** Live certificates that rest on evidence. */
  readonly attested: number;
  /** Of those whose evidence was erased with their device: nobody can say. */
  readonly erased: number;
  readonly fallen: readonly FallenCertificate[];
}

const tileWidth = 256;

/** Each live certificate against what is believed and asked now, by the entry of its issuance, and by those of the attestation keys below it. */
export async function recheck(
  storage: ReadOnlyStorage,
  references: Pick<References, 'deviceClasses' | 'templates' | 'attestation'>,
  statusLists: StatusLists,
  now: number,
): Promise<Recheck> {
  const entries = new Entries(await logsOf(storage));
  const attesters = await Attesters.of(storage);
  const fallen: FallenCertificate[] = [];
  let [attested, erased] = [0, 0];
  for await (const certificate of storage.certificates()) {
    const { sha256, serialNumber, issuer, template, deviceId: device } = certificate;
    const isLive = certificate.revokedAt === null && certificate.notAfter >= now;
    // What rests on an attestation key outlives its certificate.
    const mayAttest = isLive || isOfAttestationKey(certificate.der);
    if (!mayAttest) continue;
    const { entry, isAbsent } = await entries.at(certificate.log, certificate.logIndex);
    if (entry.facts?.context?.evidence?.verified !== true) continue;
    if (isLive) attested += 1;
    if (isLive && isAbsent) erased += 1;
    if (isAbsent) continue;
    const examination = entry.observations.evidence?.examination;
    const attester = examination === undefined ? null : attesterOf(examination);
    const problems = recheckEvidence(entry, references, statusLists, attesters.now(attester)) ?? [];
    if (problems.length === 0) continue;
    attesters.fell(certificate, problems);
    const format = examination?.format ?? 'unknown';
    if (isLive) fallen.push({ sha256, serialNumber, issuer, device, template, format, problems });
  }
  return { attested, erased, fallen };
}

/** Of one that was erased nobody can say any more. */
function isOfAttestationKey(der: Der): boolean {
  return der.length > 0 && isAttestationKeyCertificate(parseCertificate(der));
}

/** The attestation keys that we have certified and do not stand by. They come before what rests on them, as certificates do. */
class Attesters {
  readonly #revoked = new Set<string>();
  readonly #compromised = new Set<string>();
  readonly #fallen = new Map<string, readonly EvidenceFault[]>();

  static async of(storage: ReadOnlyStorage): Promise<Attesters> {
    const attesters = new Attesters();
    for await (const { spki, serialNumber, revokedAt, revocationReason } of storage.certificates()) {
      if (revokedAt !== null) attesters.#revoked.add(serialNumber);
      if (revocationReason === revocationReasons.keyCompromise) attesters.#compromised.add(spki);
    }
    for (const { serial_number: serialNumber } of await storage.lostCertificates()) {
      attesters.#revoked.add(serialNumber);
    }
    return attesters;
  }

  now(attester: AttesterQuery | null): AttesterNow {
    if (attester === null) return { observed: null, fallen: [] };
    const revoked = this.#revoked.has(attester.serialNumber);
    const compromised = this.#compromised.has(attester.spki);
    const fallen = this.#fallen.get(nameOf(attester)) ?? [];
    return { observed: { deviceId: null, revoked, compromised }, fallen };
  }

  fell(certificate: AttesterQuery, problems: readonly EvidenceFault[]): void {
    this.#fallen.set(nameOf(certificate), problems);
  }
}

const nameOf = ({ spki, serialNumber }: AttesterQuery) => `${serialNumber} ${spki}`;

/** Certificates come in the order of their entries: each tile is read once. */
class Entries {
  readonly #logs: readonly LogOfStorage[];
  #tile: { log: number; from: number; entries: Awaited<ReturnType<typeof readEntries>> } | null = null;

  constructor(logs: readonly LogOfStorage[]) {
    this.#logs = logs;
  }

  async at(
    log: number,
    index: number,
  ): Promise<{ readonly entry: RequestEntry; readonly isAbsent: boolean }> {
    const from = index - (index % tileWidth);
    if (this.#tile?.log !== log || this.#tile.from !== from) {
      const { reader, head } = this.#logs.find(({ number }) => number === log)!;
      const to = Math.min(from + tileWidth, head.size);
      this.#tile = { log, from, entries: await readEntries(reader, from, to) };
    }
    const { entry, document } = this.#tile.entries[index - from]!;
    return { entry: entry as unknown as RequestEntry, isAbsent: document === 'absent' };
  }
}
