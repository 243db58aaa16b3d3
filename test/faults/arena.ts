import path from 'node:path';
import { stringify } from 'yaml';
import { acmeSurroundings, acmeYaml } from '../harness/acme-authority.ts';
import { activatingSettings, makersFile } from '../harness/activating-authority.ts';
import { attestationCa, believing } from '../harness/attesting-device.ts';
import { anyPorts, type Cleanup, initAuthority } from '../harness/authority.ts';
import { anotherNode, databaseOf, initForPostgres, migrate } from '../harness/postgres-authority.ts';
import { TestCa } from '../harness/pki.ts';
import type { PostgresCluster } from '../harness/postgres-cluster.ts';
import { AcmeClients } from './acme-clients.ts';
import { ActivatingClients } from './activating-clients.ts';
import { Asking } from './asking.ts';
import { PostgresDatabase, SqliteFile, type TestDatabase } from './database.ts';
import { EstClients } from './est-clients.ts';
import { type Aftermath, brokenInvariants, settlingMilliseconds } from './invariants.ts';
import type { Random } from './random.ts';
import { Victim } from './victim.ts';
import { Witness } from './witness.ts';

/** Longer than an intent's lease (30 s), and than the leases by which nodes share out their work (120 s). */
const longerThanLeases = 130_000;

/** An authority of one node or several, its clients, and what they saw. */
export class Arena implements Aftermath {
  readonly database: TestDatabase;
  readonly nodes: readonly Victim[];
  readonly witness = new Witness();
  readonly est: EstClients;
  readonly acme: AcmeClients;
  readonly activating: ActivatingClients;

  private constructor(
    database: TestDatabase,
    nodes: readonly Victim[],
    { acme, attestation, makers }: Surroundings,
    random: Random,
  ) {
    this.database = database;
    this.nodes = nodes;
    const asking = new Asking(nodes, this.witness, random);
    this.est = new EstClients(asking, this.witness, attestation.tpm);
    this.acme = new AcmeClients(asking, this.witness, acme);
    this.activating = new ActivatingClients(asking, this.witness, makers.maker);
  }

  static async onSqlite(cleanup: Cleanup, random: Random): Promise<Arena> {
    const surroundings = await surroundingsOf(cleanup);
    const files = await initAuthority(cleanup, (yaml) => withoutLimits(anyPorts(yaml), surroundings));
    const database = new SqliteFile(path.join(files.directory, 'data/sallyport.db'));
    const arena = new Arena(database, [new Victim(files, database, cleanup)], surroundings, random);
    await arena.start();
    return arena;
  }

  static async onPostgres(
    cleanup: Cleanup,
    random: Random,
    cluster: PostgresCluster,
    names: readonly string[] = ['node-1'],
  ): Promise<Arena> {
    const surroundings = await surroundingsOf(cleanup);
    const files = await initForPostgres(cleanup, cluster, (yaml) => withoutLimits(yaml, surroundings));
    const database = await PostgresDatabase.withClock(cluster, await databaseOf(files));
    await migrate(files);
    const nodes: Victim[] = [];
    for (const name of names) {
      const own = name === 'node-1' ? files : await anotherNode(files, name);
      nodes.push(new Victim(own, database, cleanup));
    }
    const arena = new Arena(database, nodes, surroundings, random);
    await arena.start();
    return arena;
  }

  /** The first node, and often the only one. */
  get node(): Victim {
    return this.nodes[0]!;
  }

  /** Every node that does not run. */
  async start(): Promise<void> {
    for (const node of this.nodes) if (node.served === null) await node.start();
  }

  /** All leases have ended, for whoever starts now. */
  async endLeases(): Promise<void> {
    await this.database.advance(longerThanLeases);
  }

  /** With these nodes running, and no other needed. */
  async broken(nodes: readonly Victim[] = this.nodes): Promise<readonly string[]> {
    const dead = nodes.filter(({ served }) => served === null);
    const findings = dead.map(({ end }) => `a node ended by itself with ${end}`);
    if (dead.length > 0) await this.start();
    const { ofOneNode, ofSeveral } = settlingMilliseconds;
    const milliseconds = this.nodes.length > 1 ? ofSeveral : ofOneNode;
    return [...findings, ...(await brokenInvariants({ ...this.#aftermath, nodes }, milliseconds))];
  }

  get #aftermath(): Aftermath {
    return { database: this.database, nodes: this.nodes, witness: this.witness };
  }
}

export async function surroundingsOf(cleanup: Cleanup) {
  const root = TestCa.root('Maker of TPMs');
  return {
    acme: await acmeSurroundings(cleanup),
    attestation: await attestationCa(cleanup),
    makers: { maker: root.intermediate('Maker of TPMs, 1'), file: await makersFile(cleanup, root.pem) },
  };
}

type Surroundings = Awaited<ReturnType<typeof surroundingsOf>>;

/** With an hour's worth at once: a clock that is moved must not look like a crowd to a node that has not read it yet. */
export function withoutLimits(yaml: string, { acme, attestation, makers }: Surroundings): string {
  const settings = believing(activatingSettings(acmeYaml(yaml, acme), makers.file), attestation.file);
  for (const name of Object.keys(settings['limits']!)) {
    settings['limits']![name] = { burst: 1_000_000, count: 1_000_000, period: '1h' };
  }
  return stringify(settings, { aliasDuplicateObjects: false });
}
