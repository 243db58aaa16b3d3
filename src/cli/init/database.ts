import { relative } from 'node:path';
import { hashOperatorToken } from '#admin';
import { parseVerifierKey, publishCheckpoint, verifierKey } from '#audit';
import { type ActEntry, type AuthorityEntry, newEntry, sha256Hex, supportCode } from '#enrollment';
import { createSqlite } from '#storage';
import type { FirstCertificates } from './certificates.ts';
import type { KeyMaterial } from './key-material.ts';
import { firstOperator, type InitPlan } from './plan.ts';
import type { PrivateFolder } from './private-folder.ts';

/**
 * The log begins: entry 0 says which authority this is, entry 1 that its first operator may act. The checkpoint over them is signed, so
 * that a missing checkpoint file is a finding from the first day on.
 */
export async function createDatabase(
  plan: InitPlan,
  folder: PrivateFolder,
  keys: KeyMaterial,
  certificates: FirstCertificates,
  context: { readonly now: number; readonly random: (n: number) => Uint8Array },
): Promise<void> {
  const { configuration } = plan;
  const { origin, checkpointFile } = configuration.log;
  const { random, now } = context;
  const within = (file: string) => relative(plan.directory, file);
  await folder.makeFolder(within(configuration.authority.data));

  const storage = await createSqlite({ file: folder.path(within(configuration.sqliteFile)), origin });
  try {
    const created: AuthorityEntry = {
      type: 'authority',
      version: 2,
      id: supportCode(random),
      time: now,
      event: 'created',
      detail: {
        name: plan.name,
        certificates: {
          root: sha256Hex(certificates.root.der),
          issuing: sha256Hex(certificates.issuing.der),
          listener: sha256Hex(certificates.listener.der),
        },
        log: verifierKey(origin, keys.log.spki),
      },
    };
    await storage.enrollment.record(newEntry(created, random));
    const operator: ActEntry = {
      type: 'act',
      version: 2,
      id: supportCode(random),
      time: now,
      operator: firstOperator,
      act: 'operator.create',
      detail: { operator: firstOperator },
    };
    const tokenHash = hashOperatorToken(keys.token);
    const entry = newEntry(operator, random);
    await storage.admin.createOperator({ name: firstOperator, tokenHash, now, entry });
    await publishCheckpoint(null, {
      log: storage.log,
      file: { read: async () => null, write: (note) => folder.write(within(checkpointFile), note) },
      anchor: null,
      signer: { name: origin, key: keys.log },
      verifier: parseVerifierKey(verifierKey(origin, keys.log.spki)),
    });
  } finally {
    await storage.close();
  }
}
