import { AcmeClient, orderCsr } from '../../test/harness/acme-client.ts';
import type { ServedAuthority } from '../../test/harness/authority.ts';
import { makeCsr, makeKey } from '../../test/harness/csr.ts';
import type { TestCa } from '../../test/harness/pki.ts';
import { PlayedTpm } from '../../test/harness/played-tpm.ts';
import { Connection } from '../acme/connection.ts';
import { type Account, Orderer, type Wish, wishByHttp } from '../acme/order.ts';
import type { Proofs } from '../acme/proofs.ts';
import { importDevices, type BenchSettings } from '../enrollments.ts';
import { inParallel } from '../workers.ts';
import { type Cpu, cpuOf, figuresOf, rounds, spreadOf } from './rounds.ts';

/** Of each kind, in each round. */
const ordersPerSecond = 10;

/** One order of an account of its own. */
interface Ordering {
  readonly account: Account;
  readonly directory: Readonly<Record<string, string>>;
  readonly wish: Wish;
}

/**
 * Orders by device-attest-01 beside orders by http-01, from newOrder to the certificate, each the first of a device by an account of its own that was made before. There
 * is no order of ACME that proves nothing: the one looks at evidence, the other asks DNS and a web server.
 */
export async function measureOrders(
  authority: ServedAuthority,
  { ca, proofs }: { readonly ca: TestCa; readonly proofs: Proofs },
  { seconds, workers }: BenchSettings,
  say: (line: string) => void,
) {
  const perRound = seconds * ordersPerSecond;
  const count = perRound * (rounds + 1);
  say(`preparing ${count} accounts for orders of each kind`);
  const byHttp = await prepare(authority, 'owner', workers, count, {
    deviceClass: 'server',
    template: 'web',
    names: ['.bench.internal'],
    wish(device) {
      const name = `${device}.bench.internal`;
      return wishByHttp(name, orderCsr([name]).toString('base64url'), proofs);
    },
  });
  const byEvidence = await prepare(authority, 'hardware', workers, count, {
    deviceClass: 'attested-laptop',
    template: 'hardware',
    names: null,
    wish: (device) => wishByEvidence(device, PlayedTpm.certifiedBy(ca, device)),
  });
  const all: { readonly evidence: Cpu; readonly http: Cpu }[] = [];
  for (let at = 0; at <= rounds; at += 1) {
    const cpu = (orders: readonly Ordering[]) =>
      cpuOfOrders(authority, orders.slice(at * perRound, (at + 1) * perRound), workers);
    const first = at % 2 === 0 ? await cpu(byEvidence) : null;
    const http = await cpu(byHttp);
    const round = { http, evidence: first ?? (await cpu(byEvidence)) };
    if (at > 0) all.push(round);
  }
  const result = {
    workers,
    rounds,
    perRound,
    httpMilliseconds: figuresOf(all.map(({ http }) => http)),
    evidenceMilliseconds: figuresOf(all.map(({ evidence }) => evidence)),
    ratio: spreadOf(
      all.map(({ evidence, http }) => evidence.milliseconds / http.milliseconds),
      2,
    ),
  };
  say(`orders by ACME: ${JSON.stringify(result)}`);
  return result;
}

interface Kind {
  readonly deviceClass: string;
  readonly template: string;
  /** It is approved for these; null: evidence stands in for an approval. */
  readonly names: string[] | null;
  readonly wish: (device: string) => Wish;
}

async function prepare(
  authority: ServedAuthority,
  prefix: string,
  workers: number,
  count: number,
  { deviceClass, template, names, wish }: Kind,
): Promise<Ordering[]> {
  const devices = Array.from({ length: count }, (_, at) => `${prefix}-${at}`);
  await importDevices(authority, devices, deviceClass);
  const url = `${originOf(authority)}/acme/${template}/directory`;
  const orderings: Ordering[] = [];
  await inParallel(devices, workers, async (device) => {
    const asked = { device, templates: [template], names, approve: names !== null };
    const externalAccount = await authority.admin.client.perform('createExternalAccountKey', asked);
    const client = await AcmeClient.at(url, authority.trustPem);
    const { status, text } = await client.register(externalAccount);
    client.close();
    if (status !== 201) throw new Error(text);
    const account = { key: client.key, kid: client.kid! };
    orderings.push({ account, directory: client.directory, wish: wish(device) });
  });
  return orderings;
}

function originOf({ est }: ServedAuthority): string {
  return `https://localhost:${new URL(est).port}`;
}

function wishByEvidence(device: string, tpm: PlayedTpm): Wish {
  const key = makeKey();
  return {
    identifier: { type: 'permanent-identifier', value: device },
    challenge: 'device-attest-01',
    csr: makeCsr({ key }).toString('base64url'),
    answer: (_token, keyAuthorization) => ({
      attObj: Buffer.from(tpm.object(keyAuthorization, key)).toString('base64url'),
    }),
  };
}

/** Each worker has one connection, which stays, for one account after the other. */
async function cpuOfOrders(
  authority: ServedAuthority,
  orders: readonly Ordering[],
  workers: number,
): Promise<Cpu> {
  const idle = Array.from({ length: workers }, () => new Connection(originOf(authority), authority.trustPem));
  const cpu = await cpuOf(authority, orders, workers, async ({ account, directory, wish }) => {
    const connection = idle.pop()!;
    await new Orderer(connection, account, directory).order(wish);
    idle.push(connection);
  });
  for (const connection of idle) connection.close();
  return cpu;
}
