import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parse, stringify } from 'yaml';
import { believing, withDeviceAttest, type Yaml } from '../../test/harness/attesting-device.ts';
import { TestCa } from '../../test/harness/pki.ts';
import { startProofs } from '../acme/proofs.ts';
import { filesystemOf, verifyLog, withAuthority } from '../authority.ts';
import { type BenchSettings, environmentOf } from '../enrollments.ts';
import { measureEnrollments } from './enrollments.ts';
import { measureOrders } from './orders.ts';

/** Whole enrollments with evidence and without, against one `sallyport serve` with everything on. Only the limits are raised. */
export async function benchAttested(settings: BenchSettings, say: (line: string) => void) {
  const folder = await mkdtemp(path.join(tmpdir(), 'sallyport-roots-'));
  const proofs = await startProofs(0);
  try {
    const ca = TestCa.root('Attestation CA');
    const file = path.join(folder, 'attestation-ca.pem');
    await writeFile(file, ca.pem);
    const edit = (yaml: string) => {
      const edited = withDeviceAttest(believing(parse(yaml) as Yaml, file));
      const enroll = edited['listeners']!['enroll'] as { protocols: Record<string, unknown> };
      enroll.protocols['acme'] = { templates: ['web', 'hardware'], defaultTemplate: 'web' };
      const validation = { resolvers: [proofs.resolver], ports: { http: proofs.httpPort, tls: 9 } };
      return stringify({ ...edited, validation }, { aliasDuplicateObjects: false });
    };
    return await withAuthority(
      { ...settings, environment: environmentOf(settings), edit },
      say,
      async ([authority]) => ({
        database: settings.nodes === null ? 'sqlite' : 'postgresql',
        filesystem: filesystemOf(tmpdir()),
        est: await measureEnrollments(authority, ca, settings, say),
        acme: await measureOrders(authority, { ca, proofs }, settings, say),
        logVerified: await verifyLog(authority),
      }),
    );
  } finally {
    proofs.close();
    await rm(folder, { recursive: true });
  }
}
