import * as z from 'zod';
import { openCheckpoint } from '#audit';
import type { StatusLists } from '#enrollment';
import type { DeviceClass } from '#inventory';
import { formatName } from '#x509';
import { act } from '../act.ts';
import type { AdminStore } from '../store.ts';
import { isoTime, isoTimeOrNull } from '../views/time.ts';

const namedKeys = 3;

/** How the authority is: what an operator asks first who was woken. */
export const showStatus = act(z.strictObject({}), async (ports) => {
  const { authority, clock, log, logVerifier, store } = ports;
  const { bundle, referencesDigest, references, issuers, statusLists } = authority();
  const { startedAt, jobs, listeners, ...running } = await ports.running();
  const [head, note, keys] = await Promise.all([
    log.head(),
    log.note(),
    store.attestationKeys({ limit: namedKeys, devices: 0 }),
  ]);
  return {
    ...running,
    listeners: listeners.map(({ certificate, ...listener }) => ({
      ...listener,
      certificate: certificate && {
        notBefore: isoTime(certificate.notBefore),
        notAfter: isoTime(certificate.notAfter),
      },
    })),
    startedAt: isoTime(startedAt),
    time: isoTime(clock.now()),
    policies: bundle.digest,
    references: referencesDigest,
    log: { size: head.size, signed: note === null ? 0 : openCheckpoint(note, logVerifier).size },
    crls: await Promise.all([...issuers.keys()].map((issuer) => crlOf(store, issuer))),
    /** Those on more than one device. */
    attestationKeys: keys
      .filter(({ devices }) => devices > 1)
      .map(({ spki, format, devices }) => ({ spki, format, devices })),
    statusLists: Object.entries(statusLists).flatMap(([format, taken]) =>
      listsIn(taken).map(({ issuer, at, nextUpdate, entries }) => ({
        format,
        issuer,
        takenAt: isoTime(at),
        nextUpdate: isoTimeOrNull(nextUpdate),
        entries,
        maximumAgeSeconds: shortestAge(Object.values(references.deviceClasses), format),
      })),
    ),
    jobs: jobs.map((job) => ({ ...job, succeededAt: isoTimeOrNull(job.succeededAt) })),
  };
});

interface ListOfStatus {
  /** null: Google's, which has none and no end. */
  readonly issuer: string | null;
  readonly at: number;
  readonly nextUpdate: number | null;
  readonly entries: number;
}

function listsIn(taken: NonNullable<StatusLists[keyof StatusLists]>): readonly ListOfStatus[] {
  if ('list' in taken) {
    return [{ issuer: null, at: taken.at, nextUpdate: null, entries: taken.list.entries.size }];
  }
  return taken.lists.map(({ name, thisUpdate, nextUpdate, serialNumbers }) => ({
    issuer: formatName(name),
    at: thisUpdate,
    nextUpdate,
    entries: serialNumbers.size,
  }));
}

/** What the class that asks for the newest list asks for; null: none does. */
function shortestAge(deviceClasses: readonly DeviceClass[], format: string): number | null {
  const ages = deviceClasses.flatMap(({ evidence = null }) =>
    Object.entries(evidence ?? {}).flatMap(([of, requirement]) =>
      of === format && requirement?.maximumStatusAgeSeconds !== undefined
        ? [requirement.maximumStatusAgeSeconds]
        : [],
    ),
  );
  return ages.length === 0 ? null : Math.min(...ages);
}

async function crlOf(store: AdminStore, issuer: string) {
  const crl = await store.crlInfo(issuer);
  if (crl === null) return { issuer, number: null, octets: 0, thisUpdate: null, nextUpdate: null };
  const { number, octets, thisUpdate, nextUpdate } = crl;
  return {
    issuer,
    number: String(number),
    octets,
    thisUpdate: isoTime(thisUpdate),
    nextUpdate: isoTime(nextUpdate),
  };
}
