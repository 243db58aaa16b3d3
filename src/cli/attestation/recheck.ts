import {
  type RequestEntry,
  readEntries,
  recheckEvidence,
  type References,
  type StatusLists,
} from '#enrollment';
import type { EvidenceFault } from '#evidence';
import type { ReadOnlyStorage } from '#storage';
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

/** Each live certificate against what is believed and asked now, by the entry of its issuance. */
export async function recheck(
  storage: ReadOnlyStorage,
  references: Pick<References, 'deviceClasses' | 'attestation'>,
  statusLists: StatusLists,
  now: number,
): Promise<Recheck> {
  const entries = new Entries(await logsOf(storage));
  const fallen: FallenCertificate[] = [];
  let [attested, erased] = [0, 0];
  const revoked = new Set<string>();
  for await (const { sha256, revokedAt } of storage.certificates()) {
    if (revokedAt !== null) revoked.add(sha256);
  }
  for await (const certificate of storage.certificates()) {
    const { sha256, serialNumber, issuer, template, log, logIndex, revokedAt, notAfter } = certificate;
    if (revokedAt !== null || notAfter < now) continue;
    const { entry, isAbsent } = await entries.at(log, logIndex);
    if (entry.facts?.context?.evidence?.verified !== true) continue;
    attested += 1;
    if (isAbsent) {
      erased += 1;
      continue;
    }
    const problems = recheckEvidence(entry, references, statusLists, revoked) ?? [];
    if (problems.length === 0) continue;
    const format = entry.observations.evidence?.examination?.format ?? 'unknown';
    fallen.push({ sha256, serialNumber, issuer, device: certificate.deviceId, template, format, problems });
  }
  return { attested, erased, fallen };
}

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
