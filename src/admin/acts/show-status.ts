import * as z from 'zod';
import { openCheckpoint } from '#audit';
import { act } from '../act.ts';
import type { AdminStore } from '../store.ts';
import { isoTime, isoTimeOrNull } from '../views/time.ts';

const namedKeys = 3;

/** How the authority is: what an operator asks first who was woken. */
export const showStatus = act(z.strictObject({}), async (ports) => {
  const { authority, clock, log, logVerifier, store } = ports;
  const { bundle, referencesDigest, issuers } = authority();
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
    jobs: jobs.map((job) => ({ ...job, succeededAt: isoTimeOrNull(job.succeededAt) })),
  };
});

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
