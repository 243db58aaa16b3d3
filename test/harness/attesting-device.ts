import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parse, stringify } from 'yaml';
import { authorityInProcess, type Cleanup } from './authority.ts';
import { TestCa } from './pki.ts';
import { PlayedTpm } from './played-tpm.ts';

export type Yaml = Record<string, Record<string, Record<string, unknown>>>;

/** An authority whose class `attested-laptop` believes an attestation CA of the test, and TPMs that it has certified. `evidence`: what it asks of them besides. */
export async function attestingAuthority(
  cleanup: Cleanup,
  {
    evidence = {},
    level = 'discrete-tpm',
    edit = (settings) => settings,
  }: { evidence?: object; level?: string; edit?: (settings: Yaml) => Yaml } = {},
) {
  const { file, tpm } = await attestationCa(cleanup);
  const authority = await authorityInProcess(cleanup, (yaml) => {
    const settings = believing(parse(yaml) as Yaml, file, { evidence, level });
    return stringify(edit(settings), { aliasDuplicateObjects: false });
  });
  return { ...authority, tpm };
}

/** In a file, and TPMs that it has certified. */
export async function attestationCa(cleanup: Cleanup) {
  const folder = await mkdtemp(path.join(tmpdir(), 'sallyport-roots-'));
  cleanup.after(() => rm(folder, { recursive: true, force: true }));
  const file = path.join(folder, 'attestation-ca.pem');
  const ca = TestCa.root('Attestation CA');
  await writeFile(file, ca.pem);
  const tpm = (deviceId: string | null, settings?: Parameters<typeof PlayedTpm.certifiedBy>[2]) =>
    PlayedTpm.certifiedBy(ca, deviceId, settings);
  return { file, tpm };
}

/** With a class `attested-laptop` that believes the attestation CA in this file. */
export function believing(
  settings: Yaml,
  file: string,
  { evidence = {}, level = 'discrete-tpm' }: { evidence?: object; level?: string } = {},
): Yaml {
  const { roots } = settings['attestation'] ?? {};
  settings['attestation'] = { roots: { ...roots, tpm: { format: 'tpm', certificates: [file], level } } };
  const laptop = settings['deviceClasses']!['attested-laptop']! as { evidence?: object };
  laptop.evidence = { ...laptop.evidence, tpm: { roots: ['tpm'], ...evidence } };
  return settings;
}

/** With a template `hardware` of ACME, for devices of the class that must attest. `acme`: of it, besides. */
export function withDeviceAttest(settings: Yaml, acme: object = {}): Yaml {
  const { device } = settings['templates'] as Record<string, Record<string, unknown>>;
  settings['templates']!['hardware'] = {
    ...device,
    keyProtection: 'hardware',
    authentication: ['account'],
    renewalWindow: 'always',
    acme: { challenges: ['device-attest-01'], ...acme },
  };
  const enroll = settings['listeners']!['enroll'] as { protocols: Record<string, unknown> };
  enroll.protocols['acme'] = { templates: ['hardware'], defaultTemplate: 'hardware' };
  settings['deviceClasses']!['attested-laptop']!['templates'] = ['device', 'hardware'];
  return settings;
}
