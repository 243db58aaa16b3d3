import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import {
  encodeEntry,
  type NewEntry,
  parseVerifierKey,
  publishCheckpoint,
  type TreeHead,
  verifierKey,
} from '#audit';
import { ceremony, randomSerialNumber, type Template } from '#ca';
import { initialConfiguration, parseConfiguration } from '#config';
import { type ErrorCode, isSallyportError } from '#errors';
import {
  type Authority,
  type MacKey,
  readEntries,
  sha256Hex,
  type StoreObservation,
  supportCode,
} from '#enrollment';
import { generateSoftwareKey } from '#keys';
import { type Bundle, defaultPolicies, loadBundle } from '#policy';
import { createSqlite, type Storage } from '#storage';
import { buildName } from '#x509';
import type { ActInput, ActName } from './acts.ts';
import { type Admin, createAdmin } from './admin.ts';
import { generateOperatorToken, hashOperatorToken, type Operator } from './operator.ts';

/* A real store in a temporary folder, and what an authority has in force, for the tests of this folder. */

export const ada: Operator = { name: 'ada' };
export const random = (n: number) => randomBytes(n);

export interface World {
  readonly admin: Admin;
  readonly storage: Storage;
  /** Ada's. */
  readonly token: string;
  readonly folder: string;
  readonly faults: unknown[];
  /** Issuers whose CRL was asked for. */
  readonly revokedIssuers: string[];
  now: number;
  size(): Promise<number>;
  entry(index: number): Promise<{ readonly [name: string]: unknown }>;
  /** What is hashed of it: without what is personal. */
  leaf(index: number): Promise<string>;
  readonly macKeys: readonly MacKey[];
  publish(): Promise<void>;
  importDevice(id: string, deviceClass?: string): Promise<void>;
  hold(id: string, deviceId: string): Promise<void>;
  /** Id of the account that is made with an external account key. */
  account(externalAccountKey: string): Promise<string>;
  /** The open approval that the device's next request would meet. */
  approval(deviceId: string, template: string): Promise<StoreObservation['approval']>;
  /** Serial number of a new certificate of the device. */
  issue(deviceId: string): Promise<string>;
}

const origin = 'test.example/log';

export async function openWorld(t: TestContext): Promise<World> {
  const folder = await mkdtemp(join(tmpdir(), 'sallyport-admin-'));
  const storage = await createSqlite({ file: join(folder, 'sallyport.db'), origin });
  t.after(async () => {
    await storage.close();
    await rm(folder, { recursive: true, force: true });
  });
  const authority = authorityInForce(folder);
  const logKey = await generateSoftwareKey('ed25519');
  const logVerifierKey = verifierKey(origin, logKey.spki);
  const token = generateOperatorToken(random);
  const faults: unknown[] = [];
  const revokedIssuers: string[] = [];
  const world = { now: Date.UTC(2026, 10, 22, 12) };
  const admin = createAdmin({
    store: storage.admin,
    log: storage.log,
    logVerifier: parseVerifierKey(logVerifierKey),
    logVerifierKey,
    authority: () => authority,
    settings: () => ({
      secretLifetimeSeconds: { default: 3600, maximum: 86_400 },
      approvalLifetimeSeconds: 7200,
    }),
    clock: { now: () => world.now },
    random,
    running: async () => ({
      version: '0',
      node: null,
      startedAt: world.now,
      listeners: [],
      database: { kind: 'sqlite', ...(await storage.stats()) },
      jobs: [],
      sinks: [],
      nodes: [],
      residentBytes: 0,
    }),
    revoked: async (issuer) => {
      revokedIssuers.push(issuer);
      return false;
    },
    report: (fault) => faults.push(fault),
  });
  const entry = bareEntry({ id: 'A-0', type: 'act', act: 'operator.create' });
  await storage.admin.createOperator({
    name: ada.name,
    tokenHash: hashOperatorToken(token),
    now: world.now,
    entry,
  });
  let published: TreeHead | null = null;
  return Object.assign(world, {
    admin,
    storage,
    token,
    folder,
    faults,
    revokedIssuers,
    size: async () => (await storage.log.head()).size,
    async entry(index: number) {
      const [found] = await readEntries(storage.log, index, index + 1);
      return found!.entry;
    },
    async leaf(index: number) {
      const [found] = await storage.log.entries(index, index + 1);
      return Buffer.from(found!.bytes).toString();
    },
    macKeys: authority.macKeys,
    async publish() {
      const file = { read: async () => null, write: async () => {} };
      const signer = { name: origin, key: logKey };
      published = await publishCheckpoint(published, {
        log: storage.log,
        file,
        anchor: null,
        signer,
        verifier: parseVerifierKey(verifierKey(origin, logKey.spki)),
      });
    },
    async importDevice(id: string, deviceClass = 'laptop') {
      const list = JSON.stringify([{ id, class: deviceClass }]);
      await admin.perform('importDevices', ada, { format: 'json', list });
    },
    approval: (deviceId: string, template: string) => observeApproval(storage, deviceId, template, world.now),
    account: (externalAccountKey: string) => makeAccount(storage, externalAccountKey, world.now),
    hold: (id: string, deviceId: string) => holdRequest(storage, id, deviceId, world.now),
    issue: (deviceId: string) => issueCertificate(storage, deviceId, world.now),
  });
}

/** Loading takes longer than all the rest, and the acts do not judge. */
let bundle: Bundle | undefined;

function authorityInForce(folder: string): Authority {
  const text = initialConfiguration({ name: 'Test' });
  const configuration = parseConfiguration(Buffer.from(text), join(folder, 'sallyport.yaml'));
  const { limits } = configuration;
  const templates = [...configuration.templates, ...accountTemplates(configuration.templates[0]!)];
  const deviceClasses = configuration.deviceClasses.map((each) =>
    each.name === 'laptop' ? { ...each, templates: ['device', 'web', 'site', 'bare'] } : each,
  );
  const byName = <T extends { name: string }>(items: readonly T[]) =>
    Object.fromEntries(items.map((item) => [item.name, item]));
  return {
    references: {
      listeners: {},
      templates: byName(templates),
      deviceClasses: byName(deviceClasses),
      identities: {},
      issuers: {},
      limits,
    },
    referencesDigest: sha256Hex(Buffer.from('references')),
    bundle: (bundle ??= loadBundle(defaultPolicies(), {
      templates: templates.map(({ name }) => name),
      deviceClasses: deviceClasses.map(({ name }) => name),
    })),
    issuers: new Map(),
    identityCas: [],
    statusLists: {},
    managementCertificates: new Map(),
    staticChallenges: new Map(),
    workflows: new Map(),
    verifiers: new Map(),
    hintedCas: [],
    macKeys: [{ id: 'mac-1', key: randomBytes(32) }],
    longestRetryAfterSeconds: 30,
  };
}

/** `web` and `site` take accounts; `bare` lists them and cannot prove a name. */
function accountTemplates(like: Template): readonly Template[] {
  const acme = {
    challenges: ['dns-01'],
    networks: [],
    caa: null,
    orderSeconds: 3600,
    authorizationSeconds: 3600,
  } as const;
  const template = (name: string, ...within: readonly string[]): Template => ({
    ...like,
    name,
    subject: [],
    subjectAltName: [],
    authentication: ['account'],
    request: {
      ignoredSubjectAttributes: [],
      subjectAltName: [
        ...within.map((each) => ({ kind: 'dns' as const, within: each, maximum: 9 })),
        { kind: 'ip', within: '10.0.0.0/8', maximum: 9 },
      ],
    },
  });
  const bare = template('bare', 'example.org');
  return [{ ...template('web', 'example.org'), acme }, { ...template('site', 'example.net'), acme }, bare];
}

export const heldKey = sha256Hex(Buffer.from('the key'));
export const heldNames = sha256Hex(Buffer.from('the names'));

async function holdRequest(storage: Storage, id: string, deviceId: string, now: number): Promise<void> {
  await storage.enrollment.hold({
    requestId: id,
    deviceId,
    evidence: null,
    seen: null,
    contested: null,
    contestant: null,
    template: 'device',
    spki: heldKey,
    names: heldNames,
    secretId: null,
    limits: { device: { burst: 1000, count: 1000, periodSeconds: 1 }, challenge: null },
    objections: [
      { control: 'first-enrollment', title: 'Needs a look', detail: 'nobody looked', liftable: true },
    ],
    polled: null,
    order: null,
    summary: {
      protocol: 'est',
      operation: 'simpleenroll',
      address: '192.0.2.1',
      action: 'enroll',
      subject: `CN=${deviceId}`,
      subjectAltName: [],
      keyAlgorithm: 'ec-p256',
    },
    now,
    entry: bareEntry({ id, type: 'request' }),
  });
}

/** Its message is not looked at. */
async function makeAccount(storage: Storage, externalAccountKey: string, now: number): Promise<string> {
  const id = randomBytes(16).toString('base64url');
  const account = {
    id,
    externalAccountKey,
    thumbprint: `thumbprint of ${id}`,
    jwk: '{}',
    spki: sha256Hex(Buffer.from(id)),
    contact: ['mailto:ida@example.org'],
  };
  await storage.acme.createAccount({
    account,
    now,
    entry: bareEntry({ id: supportCode(random), type: 'request' }),
  });
  return id;
}

/** As the device would be seen with a secret of its own. */
async function observeApproval(storage: Storage, deviceId: string, template: string, now: number) {
  const mac = randomBytes(32);
  const id = supportCode(random);
  const common = { deviceId, template, expected: null, createdAt: now, expiresAt: now + 1000, by: ada.name };
  const entry = bareEntry({ id, type: 'act' });
  await storage.admin.createSecret({ secret: { ...common, id, mac, macKeyId: 'mac-1' }, entry });
  const asked = {
    userName: null,
    presenterSha256: null,
    identity: null,
    spki: heldKey,
    template,
    staticChallenge: false,
    now,
  };
  return (
    await storage.enrollment.observe({
      secretMacs: [mac],
      order: null,
      evidence: null,
      attester: null,
      evidenceFormat: null,
      attestingKey: null,
      ...asked,
    })
  ).approval;
}

async function issueCertificate(storage: Storage, deviceId: string, now: number): Promise<string> {
  const serialNumber = randomSerialNumber(random);
  const notBefore = Math.floor(now / 1000) * 1000;
  const notAfter = notBefore + 86_400_000;
  const subject = buildName([{ type: 'commonName', value: deviceId }]);
  // Any certificate will do: the acts neither issue nor judge it.
  const key = await generateSoftwareKey('ec-p256');
  const certificate = await ceremony.createRoot({ subject, key, serialNumber, notBefore, notAfter });
  const id = supportCode(random);
  const spki = sha256Hex(key.spki);
  const common = { issuer: 'issuing', serialNumber, deviceId, template: 'device', spki };
  const limit = { burst: 100, count: 100, periodSeconds: 60 };
  const seen = (await storage.admin.device(deviceId))!;
  await storage.enrollment.reserve({
    ...common,
    id,
    requestSpki: spki,
    seen,
    fresh: false,
    tbsSha256: sha256Hex(certificate.tbs),
    names: heldNames,
    secret: null,
    approvalId: null,
    order: null,
    predecessor: null,
    lineage: null,
    evidence: null,
    limits: { device: limit, template: limit, challenge: null },
    leaseUntil: now + 30_000,
    now,
  });
  await storage.enrollment.close({
    intentId: id,
    requestId: id,
    undelivered: false,
    requestSpki: spki,
    certificate: {
      ...common,
      names: heldNames,
      sha256: sha256Hex(certificate.der),
      der: certificate.der,
      notBefore,
      notAfter,
      predecessor: null,
    },
    seen,
    lineage: null,
    secretId: null,
    approvalId: null,
    order: null,
    evidence: null,
    issuedBefore: null,
    now,
    entry: bareEntry({ id, type: 'request' }),
  });
  return serialNumber;
}

function bareEntry(entry: object): NewEntry {
  return { bytes: encodeEntry(entry), blobs: [] };
}

export const refusedWith = (code: ErrorCode, words?: RegExp) => (error: unknown) =>
  isSallyportError(error, code) && (words === undefined || words.test(error.message));

/** The act is refused, and the log shows nothing of it. */
export async function assertRefused<Name extends ActName>(
  world: World,
  name: Name,
  input: ActInput<Name>,
  refusal: (error: unknown) => boolean,
): Promise<void> {
  const before = await world.size();
  await assert.rejects(world.admin.perform(name, ada, input), refusal);
  assert.equal(await world.size(), before);
}

export async function detailOf(world: World, index: number): Promise<Record<string, unknown>> {
  return (await world.entry(index))['detail'] as Record<string, unknown>;
}
