import type { Validations } from '#acme';
import { drain, openNdjsonSink } from '#audit';
import type { Issuer } from '#ca';
import type { Configuration } from '#config';
import type { Authority, Clock } from '#enrollment';
import { SallyportError } from '#errors';
import type { Storage } from '#storage';
import { refreshCrl } from './crl-job.ts';
import { type Job, type JobState, startJob } from './job.ts';
import { endingCertificates } from './ending-certificates.ts';
import type { IssuedCertificates } from './listener-certificates.ts';
import { announceMilliseconds } from './node.ts';
import type { AuthorityDocuments } from './public-documents.ts';
import { checkpointPath, crlPath } from './public-paths.ts';
import type { Publisher } from './publisher.ts';
import type { Ra } from './ra.ts';
import { openReplay, type Replay } from './replay-job.ts';
import { endOldRequests } from './request-job.ts';
import { sweepIntents } from './sweep-job.ts';

/** An order that came to nothing can be looked at for so long. */
const keptOrdersMilliseconds = 7 * 86_400_000;
/** Who comes late is told so in the log. */
const keptActivationsMilliseconds = 600_000;

/** Entries in half a second: twenty times what a node was seen to write, and half of what a thread can deliver. */
const deliveredAtOnce = 4096;

/** What the authority does by itself: CRLs, closing abandoned intents, checkpoints, sinks. */
export async function startJobs(ports: {
  configuration: () => Configuration;
  /** Of several over one database; null: there is one. */
  node: string | null;
  /** That this node lives, and what it judges by; what others judge otherwise. */
  announce: (() => Promise<readonly string[]>) | null;
  storage: Storage;
  clock: Clock;
  random: (n: number) => Uint8Array;
  issuers: ReadonlyMap<string, Issuer>;
  ras: readonly Ra[];
  authority: () => Authority;
  /** The certificates that listeners have from us. */
  issued: () => IssuedCertificates;
  documents: AuthorityDocuments;
  publisher: Publisher;
  /** Of the whole log, until it is aborted. */
  replay: (signal: AbortSignal) => Promise<Replay>;
  record: (event: string, detail: Record<string, unknown>) => Promise<unknown>;
  report: (fault: { id: string; error: unknown }) => void;
}) {
  const { configuration, node, storage, clock, random, issuers, documents, publisher, report } = ports;
  const { announce, record } = ports;
  const { checkpointIntervalSeconds, sinks, origin } = configuration().log;
  // Each node has files of its own, and in each of them the whole log. A file that is refused ends the start, so before any job runs.
  const cursorName = (sink: string) => (node === null ? sink : `${sink}@${node}`);
  const open = await Promise.all(
    sinks.map((sink) => openNdjsonSink({ ...sink, name: cursorName(sink.name), origin, log: storage.log })),
  );
  const jobs: Job[] = [];
  const start = (name: string, intervalMilliseconds: number, run: () => Promise<void>): Job => {
    const job = startJob({ name, intervalMilliseconds, run, now: () => clock.now(), report });
    jobs.push(job);
    return job;
  };

  /** Work for all nodes is done by one of them, and by another once that has not been seen for two intervals. */
  const startForAll = (name: string, intervalMilliseconds: number, run: () => Promise<void>): Job =>
    start(name, intervalMilliseconds, async () => {
      if (node === null || (await holdsLease(name, intervalMilliseconds * 2))) await run();
    });
  const holdsLease = (name: string, milliseconds: number) => {
    const now = clock.now();
    return storage.admin.takeLease({ name, holder: node!, now, until: now + milliseconds });
  };

  // At start every CRL is due: what was revoked just before a crash may be on none yet.
  const revoked = new Set(issuers.keys());
  const crlPorts = { store: storage.admin, clock, random };
  let crlRuns = 0;
  /** The newest run after which nothing was left to list. */
  const listedAt = new Map<string, number>();
  const crl = start('crl', 60_000, async () => {
    crlRuns += 1;
    const run = crlRuns;
    // What this node revoked it publishes itself, and at once.
    // And a database that was put back has forgotten what was revoked.
    await publisher.demandUnbroken();
    const forAll = node === null || (await holdsLease('crl', 120_000));
    const faults: unknown[] = [];
    for (const settings of configuration().issuers) {
      const issuer = issuers.get(settings.name)!;
      // Taken before the list is read: what is revoked from here on asks for a run of its own.
      const due = revoked.delete(issuer.name);
      try {
        if (due || forAll) {
          await refreshCrl({ issuer, settings, revoked: due }, crlPorts);
          documents.changed(crlPath(issuer.name));
        }
        listedAt.set(issuer.name, run);
      } catch (error) {
        if (due) revoked.add(issuer.name);
        faults.push(error);
      }
    }
    // An issuer whose CRL fails keeps none of the others from theirs.
    if (faults.length > 0) throw faults[0];
  });
  /** Whether there is a CRL now that was begun after this was asked. */
  const issueCrl = async (issuer: string): Promise<boolean> => {
    revoked.add(issuer);
    const before = crlRuns;
    await crl.trigger();
    return (listedAt.get(issuer) ?? 0) > before;
  };
  startForAll('sweep', 5_000, async () => {
    for (const issuer of await sweepIntents({ store: storage.admin, clock, random })) await issueCrl(issuer);
  });

  startForAll('requests', 60_000, () =>
    endOldRequests(configuration().approvals.lifetimeSeconds, { store: storage.admin, clock, random }),
  );
  if (ports.ras.length > 0) {
    start('ra', 60_000, async () => {
      const refreshed = await Promise.allSettled(ports.ras.map((ra) => ra.refresh()));
      // One that fails keeps none of the others from its certificate.
      for (const result of refreshed) if (result.status === 'rejected') throw result.reason;
    });
  }
  if (announce !== null) {
    start('nodes', announceMilliseconds, async () => {
      const differing = await announce();
      if (differing.length > 0) throw new SallyportError('config', differing.join('; '));
    });
  }
  const ending = new AbortController();
  const replay = openReplay({
    store: storage.admin,
    clock,
    replay: () => ports.replay(ending.signal),
    record,
  });
  start('replay', 600_000, async () => {
    try {
      await replay(configuration().log.replayIntervalSeconds * 1000);
    } catch (error) {
      if (!ending.signal.aborted) throw error;
    }
  });
  const watch = start('listener certificates', 86_400_000, async () => {
    for (const words of await endingCertificates(
      configuration(),
      ports.authority(),
      ports.issued(),
      clock.now(),
    )) {
      report({ id: 'listener certificates', error: new SallyportError('config', words) });
    }
  });
  await watch.trigger();

  const publish = start('checkpoint', checkpointIntervalSeconds * 1000, async () => {
    await publisher.publish();
    documents.changed(checkpointPath);
  });
  const drains = open.map((sink) =>
    start(`sink ${sink.name}`, 500, async () => {
      await publisher.demandUnbroken();
      await drain(sink, storage.log, (await storage.log.head()).size, deliveredAtOnce);
    }),
  );
  await crl.trigger();
  startForAll('nonces', 60_000, async () => {
    await storage.acme.forgetNonces(clock.now());
    await storage.enrollment.forgetEvidenceNonces(clock.now());
    // It counts while its request waits for an operator, and once more while that waits for its device.
    const { lifetimeSeconds } = configuration().approvals;
    await storage.enrollment.forgetWaitingEvidence(clock.now() - 2 * lifetimeSeconds * 1000);
    await storage.enrollment.forgetActivations(clock.now() - keptActivationsMilliseconds);
  });
  startForAll('orders', 600_000, () =>
    storage.acme.forgetOrders({ now: clock.now(), over: clock.now() - keptOrdersMilliseconds }),
  );
  return {
    issueCrl,
    /** What a node began to look for that is there no more. */
    startValidations(validations: Pick<Validations, 'takeOver'>) {
      start('validations', 5_000, async () => {
        await validations.takeOver();
      });
    },
    /** Whoever fetches a list of revoked keys replaces its file. */
    startStatusLists(read: () => Promise<void>) {
      start('status lists', 60_000, read);
    },
    /** Of listeners' certificates, once there are listeners. Returns the issuers whose list has more on it, and what failed. */
    startRenewal(renew: () => Promise<{ revokedOf: ReadonlySet<string>; faults: readonly unknown[] }>) {
      start('listeners', 60_000, async () => {
        const { revokedOf, faults } = await renew();
        await Promise.all([...revokedOf].map(issueCrl));
        if (faults.length > 0) throw faults[0];
      });
    },
    states: (): readonly JobState[] => jobs.map(({ state }) => state),
    /** Entries that each sink has not acknowledged yet. */
    async behind() {
      const { size } = await storage.log.head();
      return Promise.all(
        open.map(async ({ name }) => ({ name, behind: size - (await storage.log.sinkCursor(name)) })),
      );
    },
    /** What is in the log is published, and what is new of it delivered, before the store closes. A long arrear goes on with the next start. */
    async stop() {
      ending.abort();
      await Promise.all([publish.trigger(), ...drains.map((job) => job.trigger())]);
      await Promise.all(jobs.map((job) => job.stop()));
      await Promise.all(open.map((sink) => sink.close()));
    },
  };
}
