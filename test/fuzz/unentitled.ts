import { createHash } from 'node:crypto';
import { formatGeneralName } from '#x509';
import type { TestAuthority } from '../harness/authority.ts';
import type { Entitled } from './asker.ts';

/** Every certificate of the authority, and what is wrong with those that their devices were not entitled to. */
export async function findUnentitled(
  { admin: { client } }: TestAuthority,
  entitled: ReadonlyMap<string, Entitled>,
): Promise<{ readonly certificates: number; readonly problems: readonly string[] }> {
  const problems: string[] = [];
  let certificates = 0;
  for (let after: string | undefined; ;) {
    const page = await client.perform('listCertificates', {
      limit: 200,
      ...(after === undefined ? {} : { after }),
    });
    for (const { sha256 } of page.items) {
      certificates += 1;
      const certificate = await client.perform('showCertificate', { id: sha256 });
      const wrong = wrongWith(certificate, entitled.get(certificate.device));
      if (wrong !== null) problems.push(`certificate ${sha256} of ${certificate.device}: ${wrong}`);
    }
    if (page.next === null) return { certificates, problems };
    after = page.next;
  }
}

interface Shown {
  readonly device: string;
  readonly template: string;
  readonly subject: string | null;
  readonly subjectAltName: readonly string[];
  readonly spki: string;
}

/** null: nothing. */
export function wrongWith(certificate: Shown, entitled: Entitled | undefined): string | null {
  const { device, template, subject, subjectAltName, spki } = certificate;
  if (entitled === undefined) return 'the device is none of ours';
  if (template !== entitled.template) return `of the template ${template}`;
  if (subject !== `CN=${device}`) return `with the subject ${subject}`;
  const names = entitled.subjectAltName.map(formatGeneralName);
  if (subjectAltName.join() !== names.join()) return `with the names ${subjectAltName.join()}`;
  const own = entitled.spkis.map((der) => createHash('sha256').update(der).digest('hex'));
  if (!entitled.madeKeys && !own.includes(spki)) return 'for a key that it does not hold';
  return null;
}
