import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { AcmeStore, NewOrder, StoredOrder } from '#acme';
import type { AdminStore, NewApproval, NewExternalAccountKey, NewSecret } from '#admin';
import { type Blob, CompactRange, encodeEntry, type LogStore, type NewEntry, verifyLog } from '#audit';
import type {
  EnrollmentStore,
  HoldRecord,
  Intent,
  IssuedRecord,
  ObserveQuery,
  StoredCertificate,
} from '#enrollment';
import { SallyportError } from '#errors';
import type { Device } from '#inventory';
import type { Operation } from './operation.ts';
import { beginLog } from './operations/log.ts';
import { Connection } from './sqlite/connection.ts';
import type { Call } from './thread/messages.ts';
import { upgrade } from './sqlite/upgrade.ts';
import { Writer } from './sqlite/writer.ts';
import { acmeStore, adminStore, enrollmentStore, logStore, type Perform } from './stores.ts';

export const origin = 'test.example/log';
export const now = Date.UTC(2026, 10, 22, 12);
export const hour = 3_600_000;
/** Never in the way. */
export const wide = { burst: 1_000, count: 1_000, periodSeconds: 1 };

export function temporaryFile(t: Pick<TestContext, 'after'>): string {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-storage-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return join(folder, 'sallyport.db');
}

export interface Stores {
  readonly enrollment: EnrollmentStore;
  readonly acme: AcmeStore;
  readonly admin: AdminStore;
  readonly log: LogStore;
  /** What a test wants to know of the tables themselves. */
  query<Result>(operation: Operation<Result>): Promise<Result>;
}

export interface SqliteStores extends Stores {
  readonly connection: Connection;
  readonly writer: Writer;
}

type OpenStores = (t: Pick<TestContext, 'after'>) => Stores;

let openThem: OpenStores = openSqliteStores;
let sequencesOfActs = 150;

/** From here on, in this process, tests open another database: the same suite for every adapter. */
export function storesAre(open: OpenStores, { sequences }: { readonly sequences: number }): void {
  openThem = open;
  sequencesOfActs = sequences;
}

/** How many random sequences of acts a database takes in good time. */
export function sequences(): number {
  return sequencesOfActs;
}

/** A real database of its own for each test. */
export function openStores(t: Pick<TestContext, 'after'>): Stores {
  return openThem(t);
}

/** In a temporary folder, its writer in this thread. */
export function openSqliteStores(t: Pick<TestContext, 'after'>): SqliteStores {
  const connection = Connection.openWriter(temporaryFile(t));
  t.after(() => connection.close());
  upgrade(connection);
  connection.control('begin immediate');
  connection.perform(beginLog({ origin }));
  connection.control('commit');
  const writer = new Writer(connection);
  const perform = performAlone(writer);
  return {
    enrollment: enrollmentStore(perform),
    acme: acmeStore(perform),
    admin: adminStore(perform),
    log: logStore(perform),
    query: async (operation) => connection.perform(operation),
    connection,
    writer,
  };
}

function performAlone(writer: Writer): Perform {
  return async (name, argument) => {
    const call: Call = { id: 1, name, argument, askedAt: 0 };
    const [reply] = writer.perform([call]);
    if (reply === undefined) throw new Error('no reply');
    if ('fault' in reply) throw new SallyportError(reply.fault.code, reply.fault.message);
    return structuredClone(reply.value) as never;
  };
}

/** As digests of keys, names and certificates look. */
export function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

export function mac(secretId: string): Uint8Array {
  return createHash('sha256').update(`mac of ${secretId}`).digest();
}

export function entry(id: string, blobs: readonly Blob[] = []): NewEntry {
  return {
    bytes: encodeEntry({ type: 'authority', version: 1, id, time: now, event: 'test', detail: {} }),
    blobs,
  };
}

export function device(id: string, changes: Partial<Device> = {}): Device {
  return {
    id,
    serialNumber: `SN-${id}`,
    deviceClass: 'laptop',
    owner: null,
    state: 'expected',
    identifiers: { dnsName: `${id}.example.com` },
    ...changes,
  };
}

export function newSecret(id: string, deviceId: string | null, changes: Partial<NewSecret> = {}): NewSecret {
  return {
    id,
    mac: mac(id),
    macKeyId: 'key-1',
    deviceId,
    template: 'device',
    expected: null,
    createdAt: now,
    expiresAt: now + hour,
    by: 'ada',
    ...changes,
  };
}

export function newExternalAccountKey(
  id: string,
  deviceId: string,
  changes: Partial<NewExternalAccountKey> = {},
): NewExternalAccountKey {
  return {
    id,
    sealed: mac(id),
    sealingKeyId: 'key-1',
    deviceId,
    templates: ['web'],
    names: null,
    maximumCertificates: null,
    approvedBy: null,
    createdAt: now,
    expiresAt: now + hour,
    by: 'ada',
    ...changes,
  };
}

export function newApproval(id: string, deviceId: string, changes: Partial<NewApproval> = {}): NewApproval {
  return {
    id,
    deviceId,
    template: 'device',
    spki: null,
    names: null,
    lifts: ['first-enrollment'],
    evidence: null,
    by: 'ada',
    createdAt: now,
    expiresAt: now + hour,
    ...changes,
  };
}

export function holdRecord(id: string, deviceId: string, changes: Partial<HoldRecord> = {}): HoldRecord {
  return {
    requestId: id,
    deviceId,
    template: 'device',
    spki: digest('key'),
    names: digest('names'),
    secretId: null,
    objections: [
      {
        control: 'first-enrollment',
        title: 'First enrollment',
        detail: 'nobody approved it',
        liftable: true,
      },
    ],
    polled: null,
    order: null,
    evidence: null,
    seen: null,
    contested: null,
    contestant: null,
    summary: {
      protocol: 'est',
      operation: 'simpleenroll',
      address: '192.0.2.1',
      action: 'enroll',
      subject: `CN=${deviceId}`,
      subjectAltName: [],
      keyAlgorithm: 'ec-p256',
    },
    limits: { device: wide, challenge: null },
    now,
    entry: entry(id),
    ...changes,
  };
}

/** Of device d1's key unless it is changed, by nobody. */
export function observeQuery(changes: Partial<ObserveQuery> = {}): ObserveQuery {
  return {
    secretMacs: [],
    userName: null,
    presenterSha256: null,
    identity: null,
    order: null,
    evidence: null,
    attester: null,
    evidenceFormat: null,
    attestingKey: null,
    spki: digest('key'),
    template: 'device',
    staticChallenge: false,
    now,
    ...changes,
  };
}

/** The key that is certified asks for itself unless `requestSpki` is changed. */
export function intent(id: string, deviceId: string, changes: Partial<Intent> = {}): Intent {
  return {
    id,
    seen: device(deviceId),
    issuer: 'issuing',
    serialNumber: digest(`serial of ${id}`).slice(0, 40),
    tbsSha256: digest(`tbs of ${id}`),
    deviceId,
    template: 'device',
    spki: digest('key'),
    requestSpki: changes.spki ?? digest('key'),
    names: digest('names'),
    fresh: false,
    secret: null,
    approvalId: null,
    order: null,
    evidence: null,
    predecessor: null,
    lineage: null,
    limits: { device: wide, template: wide, challenge: null },
    leaseUntil: now + 30_000,
    now,
    ...changes,
  };
}

export function certificateOf(intent: Intent, changes: Partial<StoredCertificate> = {}): StoredCertificate {
  return {
    issuer: intent.issuer,
    serialNumber: intent.serialNumber,
    sha256: digest(`certificate of ${intent.id}`),
    der: Buffer.from(`DER of ${intent.id}`),
    deviceId: intent.deviceId,
    template: intent.template,
    spki: intent.spki,
    names: intent.names,
    notBefore: now,
    notAfter: now + 24 * hour,
    predecessor: intent.predecessor,
    ...changes,
  };
}

export function issuedRecord(intent: Intent, changes: Partial<IssuedRecord> = {}): IssuedRecord {
  return {
    undelivered: false,
    intentId: intent.id,
    requestId: intent.id,
    requestSpki: intent.requestSpki,
    certificate: certificateOf(intent),
    seen: intent.seen,
    lineage: intent.lineage,
    evidence: intent.evidence,
    secretId: intent.secret?.id ?? null,
    approvalId: intent.approvalId,
    order: intent.order === null ? null : { id: intent.order, address: new Uint8Array() },
    issuedBefore: null,
    now,
    entry: entry(intent.id),
    ...changes,
  };
}

export async function importDevices(admin: AdminStore, ...devices: readonly Device[]): Promise<void> {
  await admin.importDevices({ devices, approve: null, now, entry: entry('import') });
}

export async function createSecret(admin: AdminStore, secret: NewSecret): Promise<void> {
  await admin.createSecret({ secret, entry: entry(`create ${secret.id}`) });
}

export async function createExternalAccountKey(admin: AdminStore, key: NewExternalAccountKey): Promise<void> {
  await admin.createExternalAccountKey({ key, entry: entry(`create ${key.id}`) });
}

/** Spends the key: what newAccount does. */
export async function createAccount(
  acme: AcmeStore,
  id: string,
  externalAccountKey: string | null,
): Promise<void> {
  const [thumbprint, spki] = [`thumbprint of ${id}`, digest(`key of ${id}`)];
  const contact = [`mailto:${id}@example.org`];
  const account = { id, externalAccountKey, thumbprint, jwk: '{}', spki, contact };
  await acme.createAccount({ account, now, entry: entry(`account ${id}`) });
}

/** Of one name, `www.example.org` unless it is changed. */
export async function createOrder(
  acme: AcmeStore,
  id: string,
  account: string,
  changes: Partial<NewOrder> = {},
): Promise<StoredOrder> {
  const identifier = { type: 'dns', value: 'www.example.org' } as const;
  const { order } = await acme.createOrder({
    id,
    account,
    template: 'web',
    identifiers: [identifier],
    names: digest('www.example.org'),
    notBefore: null,
    notAfter: null,
    replaces: null,
    expiresAt: now + hour,
    wanted: [{ ...identifier, id: `authorization of ${id}`, wildcard: false, token: `token of ${id}` }],
    reuseUntil: now,
    proveUntil: now + hour,
    maximumOpen: 9,
    now,
    entry: entry(`order ${id}`),
    ...changes,
  });
  return order;
}

export async function approve(admin: AdminStore, approval: NewApproval): Promise<void> {
  await admin.approveDevice({ approval, now, entry: entry(`approve ${approval.id}`) });
}

/** Reserves and closes: what enrollment does around its signature. */
export async function issue(enrollment: EnrollmentStore, wanted: Intent): Promise<StoredCertificate> {
  const reserved = await enrollment.reserve(wanted);
  if (reserved !== 'reserved') throw new Error(reserved);
  await enrollment.close(issuedRecord(wanted));
  return certificateOf(wanted);
}

/** Recomputes the log of its bytes and compares it with the head. Returns the ids of its entries. */
export async function verifiedIds(log: Pick<LogStore, 'head' | 'entries'>): Promise<string[]> {
  const head = await log.head();
  const ids: string[] = [];
  const verification = await verifyLog({
    entries: readEntries(log, head.size),
    head: { size: head.size, root: CompactRange.restore(head.size, head.range).root() },
    onEntry: ({ bytes }) => {
      const { id } = JSON.parse(Buffer.from(bytes).toString()) as { id: string };
      ids.push(id);
    },
  });
  if (!verification.ok) throw new Error(verification.problems.map(({ message }) => message).join('; '));
  return ids;
}

async function* readEntries(log: Pick<LogStore, 'entries'>, size: number) {
  for (let from = 0; from < size; from += 1024) yield* await log.entries(from, Math.min(from + 1024, size));
}

/** All that comes in parts. */
export async function allOf<Item>(parts: AsyncIterable<readonly Item[]>): Promise<Item[]> {
  return (await Array.fromAsync(parts)).flat();
}
