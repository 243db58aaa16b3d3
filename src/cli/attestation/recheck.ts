import {
  attesterAsKnown,
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
import { type Certificate, type Der, parseCertificate } from '#x509';
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

/** What is believed and asked now. */
export interface Standards {
  readonly references: Pick<References, 'deviceClasses' | 'templates' | 'attestation'>;
  readonly statusLists: StatusLists;
  /** Those in force. */
  readonly issuers: readonly Certificate[];
}

/** Each live certificate against what is believed and asked now, by the entry of its issuance, and by those of the attestation keys below it. */
export async function recheck(
  storage: ReadOnlyStorage,
  { references, statusLists, issuers }: Standards,
  now: number,
): Promise<Recheck> {
  const entries = new Entries(await logsOf(storage));
  const fallen: FallenCertificate[] = [];
  // By what they rest on: an attestation key comes before what rests on it, as its certificate does.
  const fallenKeys = new Map<string, readonly EvidenceFault[]>();
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
    const problems =
      recheckEvidence(entry, references, statusLists, {
        observed: attester && attesterAsKnown(await storage.attester(attester), examination!, issuers),
        fallen: (attester && fallenKeys.get(nameOf(attester))) ?? [],
      }) ?? [];
    if (problems.length === 0) continue;
    fallenKeys.set(nameOf(certificate), problems);
    const format = examination?.format ?? 'unknown';
    if (isLive) fallen.push({ sha256, serialNumber, issuer, device, template, format, problems });
  }
  return { attested, erased, fallen };
}

/** Of one that was erased nobody can say any more. */
function isOfAttestationKey(der: Der): boolean {
  return der.length > 0 && isAttestationKeyCertificate(parseCertificate(der));
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
