import { verifierKey } from '#audit';
import { SallyportError } from '#errors';
import { signFirstCertificates } from './certificates.ts';
import { createDatabase } from './database.ts';
import { initialFiles, initialFolders } from './files.ts';
import { generateKeyMaterial } from './key-material.ts';
import type { InitPlan } from './plan.ts';
import { PrivateFolder } from './private-folder.ts';
import { buildInPlace } from './put-in-place.ts';

export interface InitContext {
  readonly now: number;
  readonly random: (n: number) => Uint8Array;
  /** Aborted, nothing stays behind. */
  readonly signal: AbortSignal;
}

/** Makes the authority of the plan. Returns the key by which outsiders check its log. */
export async function createAuthority(
  plan: InitPlan,
  context: InitContext,
): Promise<{ logVerifierKey: string }> {
  const goOn = () => {
    if (context.signal.aborted) throw new SallyportError('usage', 'interrupted; nothing was written');
  };
  const keys = await generateKeyMaterial(plan.algorithm, context.random);
  await buildInPlace(plan.directory, async (path) => {
    const folder = new PrivateFolder(path);
    goOn();
    const { name: issuerName, publicUrl } = plan.configuration.issuers[0]!;
    const certificates = await signFirstCertificates(plan.name, issuerName, keys, { ...context, publicUrl });
    for (const name of initialFolders(plan.configuration)) await folder.makeFolder(name);
    for (const [name, text] of initialFiles(plan, keys, certificates)) await folder.write(name, text);
    goOn();
    await createDatabase(plan, folder, keys, certificates, context);
    goOn();
  });
  return { logVerifierKey: verifierKey(plan.configuration.log.origin, keys.log.spki) };
}
