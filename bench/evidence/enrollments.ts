import type { ServedAuthority } from '../../test/harness/authority.ts';
import { type ClientKey, csrFor, makeKey } from '../../test/harness/csr.ts';
import { base64, est } from '../../test/harness/est-client.ts';
import type { TestCa } from '../../test/harness/pki.ts';
import { PlayedTpm } from '../../test/harness/played-tpm.ts';
import { importDevices, type BenchSettings } from '../enrollments.ts';
import { estProtocol } from '../est.ts';
import { rounded } from '../percentile.ts';
import { inParallel } from '../workers.ts';
import { type Cpu, cpuOf, figuresOf, rounds, spreadOf } from './rounds.ts';

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

interface Round {
  /** An enrollment of a class that attests nothing. */
  readonly without: Cpu;
  /** A nonce, which an enrollment with evidence needs first. */
  readonly nonce: Cpu;
  /** An enrollment with the evidence of a TPM, its nonce apart. */
  readonly enrollment: Cpu;
}

/**
 * First enrollments by EST with and without an AttestationBundle: the same template, the same secrets and approvals, only the class differs. In rounds, of which
 * every other begins with the evidence, so that a machine that slows down slows both.
 */
export async function measureEnrollments(
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
    tpm: PlayedTpm.certifiedBy(ca, device.id),
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
    workers,
    rounds,
    perRound,
    ...figuresOfRounds(all),
    /** A TLS connection and an exchange with nothing behind the listener: each request here has its own. */
    transportMilliseconds: rounded(await estProtocol.transport(authority, workers), 3),
  };
  say(`enrollments by EST: ${JSON.stringify(result)}`);
  return result;
}

function figuresOfRounds(all: readonly Round[]) {
  const attested = ({ nonce, enrollment }: Round) => nonce.milliseconds + enrollment.milliseconds;
  const ratio = (of: (round: Round) => number) =>
    spreadOf(
      all.map((round) => of(round) / round.without.milliseconds),
      2,
    );
  return {
    withoutMilliseconds: figuresOf(all.map(({ without }) => without)),
    withMilliseconds: spreadOf(all.map(attested), 3),
    nonceMilliseconds: figuresOf(all.map(({ nonce }) => nonce)),
    enrollmentMilliseconds: figuresOf(all.map(({ enrollment }) => enrollment)),
    ratio: ratio(attested),
    /** Of the second request alone. */
    ratioWithoutNonce: ratio(({ enrollment }) => enrollment.milliseconds),
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
