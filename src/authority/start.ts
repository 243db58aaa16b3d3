import { randomUUID } from 'node:crypto';
import { type AdminPorts, type AdminSettings, adminHandler, createAdmin } from '#admin';
import { Validations } from '#acme';
import { parseVerifierKey } from '#audit';
import { type Configuration, type Environment, loadConfiguration, reloadable } from '#config';
import { Activations, type Authority, Enrollment, type EnrollmentPorts, path } from '#enrollment';
import { SallyportError } from '#errors';
import { anchorOf } from './anchor.ts';
import { checkpointFile } from './checkpoint-file.ts';
import { nodeOf, openDatabase } from './database.ts';
import { adminLimits, claimAdminSocket } from './admin-socket.ts';
import { configurationFindings } from './findings.ts';
import { eventEntry } from './event-entry.ts';
import { rootFindings } from './evidence-roots.ts';
import { loadStatusLists } from './status-lists.ts';
import { loadIssuers, readAuthority, recordAuthority } from './in-force.ts';
import { startJobs } from './jobs.ts';
import { ListenerCertificates } from './listener-certificates.ts';
import type { Replay } from './replay-job.ts';
import {
  describeListeners,
  type ListenerAddress,
  prepareListener,
  prepareListeners,
  startListeners,
} from './listeners.ts';
import { loadLogSigner, openLog } from './log.ts';
import { differences, type InForce, joinNodes } from './node.ts';
import { crlPath } from './public-paths.ts';
import { openRaKeys, startRas } from './ra.ts';
import { pooledRandom } from './random.ts';
import { openPublisher } from './publisher.ts';
import { listenersWithTls, openTransportKeys } from './transport-keys.ts';
import { validator } from './validation.ts';
import type { WorkflowPorts } from './workflows.ts';
import { authorityDocuments } from './public-documents.ts';

export interface AuthorityPorts {
  readonly configuration: Configuration;
  readonly environment: Environment;
  /** The wall clock, milliseconds since the epoch. */
  readonly wallClock: () => number;
  /** Counts milliseconds, and is never set. */
  readonly monotonicClock: () => number;
  readonly version: string;
  /** Asks the whole log again, until it is aborted. */
  readonly replay: (configuration: Configuration, signal: AbortSignal) => Promise<Replay>;
  /** Faults and events for the operator's eyes; never holds a secret. */
  readonly report: (fault: { id: string; error: unknown }) => void;
}

export interface RunningAuthority {
  readonly name: string;
  readonly listeners: readonly ListenerAddress[];
  /** Resolves with the error when the store has failed, or holds another log than was published: nothing more can be issued, and the process must end. */
  readonly failed: Promise<Error>;
  /** Reads the file again. Throws 'config' and leaves what is in force as it is. Returns what changed, as key paths. */
  reload(): Promise<readonly string[]>;
  close(): Promise<void>;
}

export async function startAuthority(ports: AuthorityPorts): Promise<RunningAuthority> {
  const { environment, report } = ports;
  const workflowPorts = { now: ports.wallClock, version: ports.version, report };
  let configuration = ports.configuration;
  const closing: (() => Promise<void>)[] = [];
  const close = async () => {
    // One step that fails, on a full disk say, must not keep the others from ending.
    for (const end of closing.splice(0).reverse()) {
      await end().catch((error: unknown) => report({ id: 'closing', error }));
    }
  };
  try {
    const claim = await claimAdminSocket(configuration, report);
    closing.push(claim.close);
    // The database opens in its own thread while keys and policies load in this one.
    const opening = openDatabase(configuration, environment, {
      wall: ports.wallClock,
      monotonic: ports.monotonicClock,
    });
    const settled = opening.catch(() => null);
    closing.push(async () => (await settled)?.close());
    const [issuers, signer, openedKeys, raKeys, read] = await loadInForce(
      configuration,
      environment,
      workflowPorts,
    );
    closing.push(async () => {
      await Promise.all([...raKeys.values()].map((key) => key.close()));
    });
    let authority = read;
    let transportKeys = openedKeys;
    const inForce = () => ({ configuration, transportKeys, authority });
    const storage = await opening;
    const clocks = {
      wall: storage.clock?.now ?? ports.wallClock,
      monotonic: storage.clock?.count ?? ports.monotonicClock,
      jumped: (milliseconds: number) =>
        report({ id: 'clock', error: new SallyportError('config', jumpWords(milliseconds)) }),
    };
    const { clock, published } = await openLog(configuration, storage, signer, clocks);
    const publisher = openPublisher(
      {
        log: storage.log,
        file: checkpointFile(configuration.log.checkpointFile),
        anchor: anchorOf(configuration),
        signer,
        verifier: parseVerifierKey(signer.verifierKey),
      },
      published,
    );
    await recordAuthority(authority, storage.admin);
    const random = pooledRandom();
    const record = (event: string, detail: Record<string, unknown>) =>
      storage.enrollment.record(eventEntry(event, detail, clock.now(), random));
    const findings = tellFindings({ configuration, authority, time: clock.now() }, report);
    const node = nodeOf(configuration);
    const digests = () => digestsOf(authority);
    const nodes =
      node === null
        ? null
        : await joinNodes(
            { name: node, holder: randomUUID(), store: storage.admin, clock, report },
            digests(),
          );
    if (nodes !== null) closing.push(() => nodes.leave());
    const ofNode = nodes === null ? {} : { node, differing: differences(nodes.others()) };
    await record('started', { ...ofNode, ...digests(), findings });

    const raPorts = { store: storage.admin, clock, random, name: configuration.authority.name };
    const ras = await startRas(raKeys, authority, raPorts, report);

    const certificates = new ListenerCertificates({ store: storage.admin, clock, random, node });
    for (const error of (await certificates.start(inForce())).faults) report({ id: 'listeners', error });

    const documents = authorityDocuments(issuers, storage.admin, storage.log);
    const jobs = await startJobs({
      configuration: () => configuration,
      node,
      announce: nodes === null ? null : () => nodes.announce(digests()),
      storage,
      clock,
      random,
      issuers,
      ras: [...ras.values()],
      authority: () => authority,
      issued: () => certificates.inForce,
      documents,
      publisher,
      replay: (signal) => ports.replay(configuration, signal),
      record,
      report,
    });
    closing.push(() => jobs.stop());
    closing.push(async () => {
      // Nothing more is written to a log that is not the one that was published.
      await publisher.demandUnbroken();
      await record('stopped', node === null ? {} : { node });
    });

    const enrollmentPorts: EnrollmentPorts = {
      authority: () => authority,
      store: storage.enrollment,
      clock,
      random,
      revoked: (issuer) => void jobs.issueCrl(issuer),
      report,
    };
    const enrollment = new Enrollment(enrollmentPorts);
    const admin: AdminPorts = {
      store: storage.admin,
      log: storage.log,
      logVerifier: parseVerifierKey(signer.verifierKey),
      logVerifierKey: signer.verifierKey,
      authority: () => authority,
      settings: () => adminSettings(configuration),
      clock,
      random,
      revoked: jobs.issueCrl,
      running: () => running(),
      report,
    };
    const validate = validator(
      () => authority,
      () => configuration,
    );
    const validations = new Validations({
      authority: () => authority,
      store: storage.acme,
      now: () => clock.now(),
      random,
      validate,
      report,
    });
    jobs.startValidations(validations);
    const listeners = await startListeners({
      configuration,
      transportKeys,
      issued: certificates.inForce,
      documents,
      enrollment,
      activations: new Activations(enrollmentPorts, enrollment),
      authority: () => authority,
      ras,
      lookUp: {
        polled: storage.enrollment.polled,
        certificate: storage.admin.certificateInfo,
        crl: async (issuer) => (await documents.read(crlPath(issuer)))?.body ?? null,
      },
      acme: {
        store: storage.acme,
        validate,
        revoked: (issuer) => void jobs.issueCrl(issuer),
        validations,
      },
      unopenedLimit: () => configuration.limits.unopened,
      api: { admin, store: storage.enrollment },
      inForce: () => configuration,
      random,
      now: () => clock.now(),
      report,
    });
    closing.push(async () => {
      await Promise.all(listeners.map((listener) => listener.close()));
    });

    jobs.startRenewal(() =>
      certificates.exclusively(() =>
        certificates.renew(inForce(), (name, chosen) => {
          const listener = listenersWithTls(configuration).find((each) => each.name === name)!;
          return prepareListener(listeners, listener, inForce(), chosen);
        }),
      ),
    );

    jobs.startStatusLists(async () => {
      const of = configuration;
      const anchors = Object.values(authority.references.attestation?.roots ?? {});
      const faults: SallyportError[] = [];
      const statusLists = await loadStatusLists(of, anchors, {
        before: authority.statusLists,
        fault: (error) => faults.push(error),
      });
      // A reload has read them itself.
      if (configuration === of) authority = { ...authority, statusLists };
      if (faults.length > 0) {
        throw new SallyportError('config', faults.map(({ message }) => message).join('; '));
      }
    });

    // Not before the listeners are there: nobody asks them sooner.
    for (const key of raKeys.values()) setImmediate(() => key.start());
    const startedAt = clock.now();
    const running = async () => ({
      version: ports.version,
      node,
      startedAt,
      listeners: describeListeners(configuration, listeners).map(({ name, url, socket }) => ({
        name,
        where: url ?? socket ?? '',
        certificate: listeners.find((listener) => listener.name === name)?.certificate() ?? null,
      })),
      database: {
        kind: node === null ? ('sqlite' as const) : ('postgresql' as const),
        ...(await storage.stats()),
      },
      jobs: jobs.states(),
      sinks: await jobs.behind(),
      nodes: nodes?.others() ?? [],
      residentBytes: process.memoryUsage.rss(),
    });
    claim.open(adminHandler(createAdmin(admin), adminLimits(configuration)));

    return {
      name: configuration.authority.name,
      listeners: describeListeners(configuration, listeners),
      failed: Promise.race([storage.failed, publisher.failed, ...(nodes === null ? [] : [nodes.failed])]),
      reload: () =>
        certificates.exclusively(async () => {
          const next = loadConfiguration(configuration.file, environment);
          const { changed, needsRestart } = reloadable(configuration, next);
          if (needsRestart.length > 0) {
            throw new SallyportError(
              'config',
              `a restart is needed to change ${needsRestart.join(', ')}; nothing was changed`,
            );
          }
          const [replacement, keys] = await Promise.all([
            readAuthority(next, environment, issuers, workflowPorts, authority.statusLists),
            openTransportKeys(next, environment),
          ]);
          const state = { configuration: next, transportKeys: keys, authority: replacement };
          const chosen = await certificates.choose(state);
          const renewListeners = await prepareListeners(listeners, state, chosen.certificates);
          await recordAuthority(replacement, storage.admin);
          const differing = await nodes?.announce(digestsOf(replacement));
          // The last that can be refused: certificates of keys that are replaced are revoked with it.
          await certificates.save(chosen);
          await record('reloaded', {
            changed,
            ...(differing === undefined ? {} : { node, differing }),
            ...digestsOf(replacement),
            findings: tellFindings(
              { configuration: next, authority: replacement, time: clock.now() },
              report,
            ),
          });
          renewListeners();
          certificates.putInForce(chosen);
          configuration = next;
          authority = replacement;
          transportKeys = keys;
          for (const error of chosen.faults) report({ id: 'listeners', error });
          for (const issuer of chosen.revokedOf) void jobs.issueCrl(issuer);
          return changed;
        }),
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** The keys open on other threads while the policies load in this one. */
async function loadInForce(
  configuration: Configuration,
  environment: Environment,
  workflowPorts: WorkflowPorts,
) {
  const issuers = loadIssuers(configuration, environment);
  return Promise.all([
    issuers,
    loadLogSigner(configuration, environment),
    openTransportKeys(configuration, environment),
    openRaKeys(configuration, environment),
    readAuthority(configuration, environment, issuers, workflowPorts),
  ]);
}

function digestsOf({ referencesDigest, bundle }: Authority): InForce {
  return { references: referencesDigest, policies: bundle.digest };
}

function jumpWords(milliseconds: number): string {
  const seconds = Math.round(Math.abs(milliseconds) / 1000);
  return milliseconds < 0
    ? `the clock is ${seconds} s behind what it was: nothing here happens earlier than what the log knows; restart when it is right`
    : `the clock jumped forward by ${seconds} s: that is believed when it has stayed so for ten minutes`;
}

function tellFindings(
  { configuration, authority, time }: { configuration: Configuration; authority: Authority; time: number },
  report: AuthorityPorts['report'],
): string[] {
  const own = [...authority.issuers.values()].flatMap(({ issuer }) => path(issuer));
  const anchors = Object.values(authority.references.attestation?.roots ?? {});
  const compared = configuration.attestation.roots.flatMap(({ fingerprints }) => fingerprints ?? []);
  const findings = [...configurationFindings(configuration), ...rootFindings(anchors, own, compared, time)];
  for (const words of findings) report({ id: 'finding', error: new SallyportError('config', words) });
  return findings;
}

function adminSettings({ secrets, approvals }: Configuration): AdminSettings {
  return {
    secretLifetimeSeconds: { default: secrets.lifetimeSeconds, maximum: secrets.maximumLifetimeSeconds },
    approvalLifetimeSeconds: approvals.lifetimeSeconds,
  };
}
