import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { parse, stringify } from 'yaml';
import type { AuthorityFiles } from './authority.ts';
import type { TestCa } from './pki.ts';

export interface IssuerSettings {
  readonly issuers: Record<string, Record<string, unknown>>;
  readonly templates: Record<string, Record<string, unknown>>;
}

export async function editSettings<Settings = IssuerSettings>(
  { configuration }: AuthorityFiles,
  change: (settings: Settings) => void,
): Promise<void> {
  const settings = parse(await readFile(configuration, 'utf8')) as Settings;
  change(settings);
  await writeFile(configuration, stringify(settings, { aliasDuplicateObjects: false }));
}

/** Another issuer beside that of `init`, which signs the certificates of one template from the next start on. */
export async function addIssuer(
  files: AuthorityFiles,
  name: string,
  { issuing, above, template }: { issuing: TestCa; above: readonly TestCa[]; template: string },
): Promise<void> {
  const at = (file: string) => path.join(files.directory, file);
  const chain = above.map((_, index) => `pki/${name}-${index + 1}.pem`);
  await writeFile(at(`pki/${name}.pem`), issuing.pem);
  for (const [index, { pem }] of above.entries()) await writeFile(at(chain[index]!), pem);
  const passphrase = `the passphrase of ${name}`;
  const form = { type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase } as const;
  await writeFile(at(`keys/${name}.pem`), issuing.key.privateKey.export(form), { mode: 0o600 });
  await writeFile(at(`secrets/${name}`), passphrase, { mode: 0o600 });
  await editSettings(files, (settings) => {
    settings.issuers[name] = {
      certificate: `pki/${name}.pem`,
      chain,
      key: { file: `keys/${name}.pem`, passphrase: { file: `secrets/${name}` } },
      ra: settings.issuers['issuing']!['ra'],
      publicUrl: 'http://127.0.0.1:8444',
    };
    settings.templates[template]!['issuer'] = name;
  });
}
