import { readFile } from 'node:fs/promises';
import { CompactRange, leafHash, parseCheckpoint } from '#audit';
import { parseCertificateList } from '#x509';
import { sallyportHere } from '../harness/authority.ts';
import { acmeOf, unsettledOf } from './acme-invariants.ts';
import type { TestDatabase } from './database.ts';
import { repeated } from './repeated.ts';
import { readState, type State } from './state.ts';
import type { Victim } from './victim.ts';
import { until } from './waiting.ts';
import type { Witness } from './witness.ts';

export interface Aftermath {
  readonly database: TestDatabase;
  /** All of them run. */
  readonly nodes: readonly Pick<Victim, 'files' | 'sinkFile' | 'checkpoint'>[];
  readonly witness: Witness;
}

/**
 * How long an authority may take to end what a fault left. A process that lives on does not follow a clock that jumped: an intent's lease takes its 30 s
 * there, and that of work for all nodes its two minutes.
 */
export const settlingMilliseconds = { ofOneNode: 45_000, ofSeveral: 150_000 };

/** Waits until a crash is dealt with, and says what does not hold then; nothing, where all is well. */
export async function brokenInvariants(
  aftermath: Aftermath,
  milliseconds: number,
): Promise<readonly string[]> {
  const { database, nodes, witness } = aftermath;
  const unsettled = await until(async () => {
    const state = await readState(database);
    const perNode = await Promise.all(nodes.map((node) => unsettledAt(node, state)));
    return [...unsettledIn(state), ...unsettledOf(state), ...perNode.flat()];
  }, milliseconds);
  for (const node of nodes) witness.published(await node.checkpoint());
  const state = await readState(database);
  const broken = [
    ...unsettled.map((words) => `after ${milliseconds} ms: ${words}`),
    ...witness.findings.splice(0),
    ...certificatesOf(state, witness),
    ...secretsOf(state),
    ...evidenceOf(state),
    ...intentsOf(state),
    ...approvalsOf(state),
    ...acmeOf(state, witness),
    ...logOf(state, witness),
  ];
  for (const node of nodes) broken.push(...(await sinkOf(node, state)));
  broken.push(...(await verified(nodes[0]!.files.configuration)));
  return broken;
}

/** What the jobs have still to do. */
function unsettledIn({ intents, abandoned, certificates, crls }: State): string[] {
  const listed = new Set(
    crls.flatMap(({ der }) => parseCertificateList(der as Uint8Array).revoked.map((row) => row.serialNumber)),
  );
  const missing = [
    ...abandoned.map((row) => ['intent', row] as const),
    ...certificates.filter((row) => row['revoked_at'] !== null).map((row) => ['certificate', row] as const),
  ].filter(([, row]) => !listed.has(row['serial_number'] as string));
  return [
    ...intents.map(({ id }) => `intent ${String(id)} is open`),
    ...missing.map(([kind, row]) => `the CRL lacks ${kind} ${String(row['serial_number'])}`),
  ];
}

async function unsettledAt(node: Aftermath['nodes'][number], { entries }: State): Promise<string[]> {
  const { size } = await node.checkpoint();
  const text = await readFile(node.sinkFile, 'utf8');
  const lines = text.split('\n').length - 1;
  return [
    ...(size === entries.length ? [] : [`the checkpoint is of ${size} entries of ${entries.length}`]),
    ...(lines >= entries.length ? [] : [`the sink has ${lines} entries of ${entries.length}`]),
  ];
}

function certificatesOf({ certificates, entries, devices }: State, witness: Witness): string[] {
  const byHash = new Map(certificates.map((row) => [row['sha256'], row]));
  const issued = issuedIn(entries);
  const broken: string[] = [];
  for (const [sha256, device] of witness.received) {
    const row = byHash.get(sha256);
    if (row === undefined) broken.push(`certificate ${sha256} of ${device} was received, and is not there`);
    else if (row['device_id'] !== device) {
      broken.push(`certificate ${sha256} was received by ${device}, and is of ${String(row['device_id'])}`);
    }
    if (!issued.has(sha256)) broken.push(`certificate ${sha256} was received, and no entry tells of it`);
  }
  for (const { index, value } of entries) {
    const { certificate = null, outcome } = value;
    if (certificate !== null && !byHash.has(certificate.sha256)) {
      broken.push(`entry ${index}: certificate ${certificate.sha256} (${outcome}) is not there`);
    }
  }
  for (const sha256 of witness.revoked) {
    if (byHash.get(sha256)?.['revoked_at'] === null) {
      broken.push(`an operator was told that ${sha256} is revoked`);
    }
  }
  const renewals = certificates.filter((row) => row['predecessor'] !== null);
  broken.push(
    ...repeated(renewals.map((row) => `${String(row['predecessor'])} for key ${String(row['spki'])}`)).map(
      (words) => `certificate ${words} was renewed more than once`,
    ),
  );
  const active = new Set(devices.filter(({ state }) => state === 'active').map(({ id }) => id));
  for (const row of certificates) {
    if (!active.has(row['device_id'])) {
      broken.push(`device ${String(row['device_id'])} has a certificate, and is not active`);
    }
  }
  return broken;
}

/** One secret, one certificate; and it says itself which. */
function secretsOf({ secrets, certificates, entries }: State): string[] {
  const bySecret: string[] = [];
  const broken: string[] = [];
  const byId = new Map(secrets.map((row) => [row['id'], row]));
  for (const { value, index } of entries) {
    const secret = value.observations?.secret?.id ?? null;
    if (value.outcome !== 'issued' || secret === null) continue;
    bySecret.push(secret);
    const { state, certificate } = byId.get(secret) ?? {};
    if (state !== 'spent' || certificate !== value.certificate?.sha256) {
      broken.push(
        `entry ${index}: secret ${secret} is ${String(state)} for ${String(certificate)}, and not spent for it`,
      );
    }
  }
  const there = new Set(certificates.map((row) => row['sha256']));
  for (const { id, state, certificate } of secrets) {
    if (state === 'spent' && !there.has(certificate)) {
      broken.push(`secret ${String(id)} is spent for a certificate that is not there`);
    }
  }
  return [...broken, ...repeated(bySecret).map((secret) => `secret ${secret} gave two certificates`)];
}

/** One certificate on each, and it says itself which. */
function evidenceOf({ evidence, certificates, entries }: State): string[] {
  const there = new Set(certificates.map((row) => row['sha256']));
  const bySha256 = new Map(evidence.map((row) => [row['sha256'], row['certificate']]));
  const broken = evidence
    .filter(({ certificate }) => certificate !== null && !there.has(certificate))
    .map(({ sha256 }) => `evidence ${String(sha256)} is spent for a certificate that is not there`);
  for (const { value, index } of entries) {
    const sha256 = value.observations?.evidence?.examination?.sha256;
    if (value.outcome !== 'issued' || sha256 === undefined) continue;
    if (bySha256.get(sha256) !== value.certificate?.sha256) {
      broken.push(`entry ${index}: evidence ${sha256} is not spent for its certificate`);
    }
  }
  return broken;
}

/** Each ended once: as a certificate, or as a serial number that nobody got. */
function intentsOf({ abandoned, certificates, entries }: State): string[] {
  const serials = new Set(certificates.map((row) => row['serial_number']));
  const swept = entries.filter(({ value }) => value.event === 'intent.abandoned');
  const sweptIds = swept.map(({ value }) => String(value.detail?.['id']));
  const issuedIds = new Set(
    entries.filter(({ value }) => value.outcome === 'issued').map(({ value }) => value.id),
  );
  return [
    ...abandoned
      .filter((row) => serials.has(row['serial_number']))
      .map((row) => `serial number ${String(row['serial_number'])} was abandoned, and issued`),
    ...repeated(sweptIds).map((id) => `intent ${id} was swept twice`),
    ...sweptIds.filter((id) => issuedIds.has(id)).map((id) => `intent ${id} was swept, and issued`),
    ...(sweptIds.toSorted().join() ===
    abandoned
      .map(({ id }) => String(id))
      .toSorted()
      .join()
      ? []
      : ['the entries of abandoned intents are not those of the table']),
  ];
}

function approvalsOf({ approvals, requests, certificates, entries, intents }: State): string[] {
  const issuedIds = new Set(
    entries.filter(({ value }) => value.outcome === 'issued').map(({ value }) => value.id),
  );
  const openIntents = new Set(intents.map(({ id }) => id));
  const key = (row: Readonly<Record<string, unknown>>) =>
    `${String(row['device_id'])} ${String(row['template'])}`;
  const first = new Set(certificates.filter((row) => row['predecessor'] === null).map(key));
  const withKey = new Set(certificates.map((row) => `${key(row)} ${String(row['spki'])}`));
  const broken: string[] = [];
  for (const row of approvals) {
    const words = `approval ${String(row['id'])} of ${String(row['device_id'])} is ${String(row['state'])}`;
    const intent = row['intent_id'];
    if (row['state'] === 'used' && !issuedIds.has(intent as string)) {
      broken.push(`${words}, and intent ${String(intent)} issued nothing`);
    }
    if (row['state'] === 'taken' && !openIntents.has(intent)) {
      broken.push(`${words}, and intent ${String(intent)} is not open`);
    }
    if (row['state'] === 'open' && (intent !== null || (row['spki'] === null && first.has(key(row))))) {
      broken.push(`${words}, and the device has its certificate`);
    }
  }
  for (const row of requests) {
    const waits = row['state'] === 'pending' || row['state'] === 'approved';
    if (waits && withKey.has(`${key(row)} ${String(row['spki'])}`)) {
      broken.push(`request ${String(row['id'])} is ${String(row['state'])}, and its certificate is there`);
    }
  }
  return broken;
}

function logOf({ entries, head, notes }: State, witness: Witness): string[] {
  const broken: string[] = [];
  const roots = new Map<number, string>();
  const range = CompactRange.empty();
  for (const { bytes, index } of entries) {
    if (index !== range.size) broken.push(`the log has entry ${index} where ${range.size} should be`);
    range.append(leafHash(bytes));
    roots.set(range.size, Buffer.from(range.root()).toString('hex'));
  }
  if (head[0]?.['size'] !== entries.length) broken.push('the head of the log is not where its entries end');
  const note = notes[0]?.['note'] as string;
  const { size, root } = parseCheckpoint(note.slice(0, note.indexOf('\n\n') + 1));
  const published = [...witness.checkpoints, [size, Buffer.from(root).toString('hex')] as const];
  for (const [of, hex] of published) {
    if (of > 0 && roots.get(of) !== hex) {
      broken.push(`the checkpoint of ${of} entries is no prefix of the log`);
    }
  }
  const ids = new Set(entries.map(({ value }) => value.id));
  for (const code of witness.codes) {
    if (!ids.has(code)) broken.push(`a client was told ${code}, and no entry has that id`);
  }
  return broken;
}

/** Every entry once, in order, with its own hash. */
async function sinkOf({ sinkFile }: Aftermath['nodes'][number], { entries }: State): Promise<string[]> {
  const lines = (await readFile(sinkFile, 'utf8')).split('\n').slice(0, -1);
  const at = lines.findIndex((line, index) => {
    const entry = entries[index];
    // The log may have grown since it was read.
    if (entry === undefined) return !line.includes(`"index":${index},`);
    const hash = Buffer.from(leafHash(entry.bytes)).toString('base64');
    return !line.includes(`"index":${index},"leafHash":"${hash}"`);
  });
  return at < 0 ? [] : [`line ${at} of the sink is not entry ${at}: ${lines[at]!.slice(0, 120)}`];
}

async function verified(configuration: string): Promise<string[]> {
  const { code, stdout, stderr } = await sallyportHere('log', 'verify', '--json', '--config', configuration);
  return code === 0 ? [] : [`the log does not verify: ${stdout}${stderr}`];
}

function issuedIn(entries: State['entries']): Set<string> {
  return new Set(
    entries.flatMap(({ value }) => (value.outcome === 'issued' ? (value.certificate?.sha256 ?? []) : [])),
  );
}
