import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parse, stringify } from 'yaml';
import type { ServedAuthority } from '../../test/harness/authority.ts';
import { believing, type Yaml } from '../../test/harness/attesting-device.ts';
import { type ClientKey, csrFor, makeKey } from '../../test/harness/csr.ts';
import { base64, est } from '../../test/harness/est-client.ts';
import { TestCa } from '../../test/harness/pki.ts';
import { PlayedTpm } from '../../test/harness/played-tpm.ts';
import { verifyLog, withAuthority } from '../authority.ts';
import { environmentOf, importDevices, type BenchSettings } from '../enrollments.ts';
import { estProtocol } from '../est.ts';
import { rounded } from '../percentile.ts';
import { cpuMillisecondsOf } from '../process-cpu.ts';
import { median } from '../welch.ts';
import { inParallel } from '../workers.ts';

const rounds = 9;
/** Of each kind, in each round. */
const devicesPerSecond = 20;

interface Device {
  readonly id: string;
  readonly secret: string;
  readonly key: ClientKey;
}

interface AttestingDevice extends Device {
  readonly tpm: PlayedTpm;
}

/** CPU milliseconds of the server, of one. */
interface Round {
  /** An enrollment of a class that attests nothing. */
  readonly without: number;
  /** A nonce, which an enrollment with evidence needs first. */
  readonly nonce: number;
  /** An enrollment with the evidence of a TPM, its nonce apart. */
  readonly enrollment: number;
}

/**
 * First enrollments by EST with and without an AttestationBundle, against one `sallyport serve` with everything on: the same template, the same secrets and approvals,
 * only the class differs. In rounds, of which every other begins with the evidence, so that a machine that slows down slows both.
 */
export async function benchAttestedEnrollments(settings: BenchSettings, say: (line: string) => void) {
  const folder = await mkdtemp(path.join(tmpdir(), 'sallyport-roots-'));
  try {
    const ca = TestCa.root('Attestation CA');
    const file = path.join(folder, 'attestation-ca.pem');
    await writeFile(file, ca.pem);
    const edit = (yaml: string) =>
      stringify(believing(parse(yaml) as Yaml, file), { aliasDuplicateObjects: false });
    const environment = environmentOf(settings);
    return await withAuthority({ ...settings, environment, edit }, say, async ([authority]) =>
      measure(authority, ca, settings, say),
    );
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function measure(
  authority: ServedAuthority,
  ca: TestCa,
  { seconds, workers }: BenchSettings,
  say: (line: string) => void,
) {
  const perRound = seconds * devicesPerSecond;
  // The first round is of a server that is not warm yet.
  const count = perRound * (rounds + 1);
  say(`preparing ${count} devices of each kind with their secrets and keys`);
  const plain = await prepare(authority, 'plain', 'laptop', count);
  const attesting = (await prepare(authority, 'attesting', 'attested-laptop', count)).map((device) => ({
    ...device,
    tpm: new PlayedTpm(ca, device.id),
  }));
  const all: Round[] = [];
  for (let at = 0; at <= rounds; at += 1) {
    const mine = <T>(devices: readonly T[]) => devices.slice(at * perRound, (at + 1) * perRound);
    const withEvidence = () => attestedRound(authority, mine(attesting), workers);
    const attested = at % 2 === 0 ? await withEvidence() : null;
    const without = await plainRound(authority, mine(plain), workers);
    const round = { without, ...(attested ?? (await withEvidence())) };
    if (at > 0) all.push(round);
  }
  const result = {
    protocol: 'est',
    workers,
    rounds,
    perRound,
    ...figuresOf(all),
    /** A TLS connection and an exchange with nothing behind the listener: each request here has its own. */
    transportMilliseconds: rounded(await estProtocol.transport(authority, workers), 3),
    logVerified: await verifyLog(authority),
  };
  say(`enrollments: ${JSON.stringify(result)}`);
  return result;
}

function figuresOf(all: readonly Round[]) {
  const spread = (of: (round: Round) => number, digits: number) => {
    const values = all.map(of).toSorted((left, right) => left - right);
    return {
      median: rounded(median(values), digits),
      least: rounded(values[0]!, digits),
      most: rounded(values.at(-1)!, digits),
    };
  };
  const attested = ({ nonce, enrollment }: Round) => nonce + enrollment;
  return {
    withoutMilliseconds: spread(({ without }) => without, 3),
    withMilliseconds: spread(attested, 3),
    nonceMilliseconds: spread(({ nonce }) => nonce, 3),
    enrollmentMilliseconds: spread(({ enrollment }) => enrollment, 3),
    ratio: spread((round) => attested(round) / round.without, 2),
    /** Of the second request alone. */
    ratioWithoutNonce: spread((round) => round.enrollment / round.without, 2),
  };
}

async function prepare(
  authority: ServedAuthority,
  prefix: string,
  deviceClass: string,
  count: number,
): Promise<Device[]> {
  const ids = Array.from({ length: count }, (_, at) => `${prefix}-${at}`);
  await importDevices(authority, ids, deviceClass);
  const devices: Device[] = [];
  await inParallel(ids, 64, async (id) => {
    devices.push({ id, secret: await authority.admin.secret(id), key: makeKey() });
  });
  return devices;
}

async function plainRound(authority: ServedAuthority, devices: readonly Device[], workers: number) {
  const requests = devices.map((device) => ({ device, csr: csrFor(device.id, device.key) }));
  return cpuOf(authority, requests, workers, async ({ device, csr }) => enroll(authority, device, csr));
}

/** Nonces first, then what they are for: what the clients compute lies between, in no figure. */
async function attestedRound(
  authority: ServedAuthority,
  devices: readonly AttestingDevice[],
  workers: number,
) {
  const nonces = new Map<AttestingDevice, Uint8Array>();
  const nonce = await cpuOf(authority, devices, workers, async (device) => {
    nonces.set(device, await nonceFor(authority, device));
  });
  const requests = devices.map((device) => {
    const attributes = [device.tpm.attribute(nonces.get(device)!, device.key)];
    return { device, csr: csrFor(device.id, device.key, { attributes }) };
  });
  const enrollment = await cpuOf(authority, requests, workers, async ({ device, csr }) =>
    enroll(authority, device, csr),
  );
  return { nonce, enrollment };
}

/** CPU milliseconds of the server for one of them. */
async function cpuOf<T>(
  { process: { pid } }: ServedAuthority,
  items: readonly T[],
  workers: number,
  work: (item: T) => Promise<void>,
): Promise<number> {
  const before = cpuMillisecondsOf(pid!);
  await inParallel(items, workers, work);
  return (cpuMillisecondsOf(pid!) - before) / items.length;
}

async function enroll(authority: ServedAuthority, { id, secret }: Device, csr: Uint8Array): Promise<void> {
  const answer = await est({
    url: `${authority.est}/device/simpleenroll`,
    body: base64(csr),
    user: [id, secret],
    trust: authority.trustPem,
  });
  if (answer.status !== 200) throw new Error(`${id}: ${answer.status} ${answer.text}`);
}

async function nonceFor(authority: ServedAuthority, { id, secret }: Device): Promise<Uint8Array> {
  const { status, text } = await est({
    url: `${authority.est}/device/nonce`,
    user: [id, secret],
    trust: authority.trustPem,
  });
  if (status !== 200) throw new Error(`${id}: ${status} ${text}`);
  return new Uint8Array(Buffer.from((JSON.parse(text) as { nonce: string }).nonce, 'base64url'));
}
