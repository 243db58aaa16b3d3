import { relative } from 'node:path';
import type { Configuration, SecretReference } from '#config';
import { SallyportError } from '#errors';
import { derToPem, type Certificate } from '#x509';
import type { FirstCertificates } from './certificates.ts';
import type { KeyMaterial } from './key-material.ts';
import { type InitPlan, layout } from './plan.ts';

const rootWords = `\
This folder holds the key of the root CA and its passphrase.

Take it offline now: move the folder to a medium that is not connected to this machine, keep the passphrase apart from
the key, and make a second copy. The running authority never reads it. It is needed again only to sign a new issuing
CA, or to replace a lost one. Whoever has both files can issue any certificate that your devices will trust.
`;

/** Path within the authority's folder, and text. Where each goes, the configuration says. */
export function initialFiles(
  plan: InitPlan,
  keys: KeyMaterial,
  certificates: FirstCertificates,
): [path: string, text: string][] {
  const { configuration } = plan;
  const issuer = only(configuration.issuers, 'issuer');
  const listener = only(
    configuration.listeners.filter((candidate) => candidate.class === 'enroll' && candidate.tls !== null),
    'enroll listener with TLS',
  );
  const { key: ra } = only(issuer.ra === null ? [] : [issuer.ra], 'RA');
  const macKey = only(configuration.secrets.macKeys, 'MAC key');
  const passphraseFiles = new Set(
    [issuer.key, ra, listener.tls.key, configuration.log.key].map(({ passphrase }) => fileOf(passphrase)),
  );
  const [root, issuing, own] = [certificates.root, certificates.issuing, certificates.listener].map(pem);
  const absolute: [string, string][] = [
    [only(issuer.chain, 'certificate above the issuer'), root!],
    [issuer.certificate, issuing!],
    // RFC 8446 section 4.4.2: the server's own certificate first, then what certifies it; the root clients have.
    [
      only(listener.tls.issued === null ? [listener.tls.certificate] : [], 'certificate of the listener'),
      own! + issuing!,
    ],
    [issuer.key.file, keys.issuing.toEncryptedPkcs8(keys.passphrase)],
    [ra.file, keys.ra.toEncryptedPkcs8(keys.passphrase)],
    [listener.tls.key.file, keys.listener.toEncryptedPkcs8(keys.passphrase)],
    [configuration.log.key.file, keys.log.toEncryptedPkcs8(keys.passphrase)],
    [fileOf(macKey.key), `${keys.macKey}\n`],
    ...[...passphraseFiles].map((file): [string, string] => [file, `${keys.passphrase}\n`]),
  ];
  return [
    [layout.configuration, plan.text],
    [layout.trust, root! + issuing!],
    [layout.rootKey, keys.root.toEncryptedPkcs8(keys.rootPassphrase)],
    [layout.rootPassphrase, `${keys.rootPassphrase}\n`],
    [layout.rootWords, rootWords],
    [layout.token, `${keys.token}\n`],
    ...absolute.map(([file, text]): [string, string] => [relative(plan.directory, file), text]),
  ];
}

/** Folders that hold what comes later. */
export function initialFolders({ listeners, log, directory }: Configuration): string[] {
  const folderOf = (file: string) => relative(directory, file.slice(0, file.lastIndexOf('/')));
  const sockets = listeners.flatMap((listener) => (listener.class === 'admin' ? [listener.socket] : []));
  return [...sockets, ...log.sinks.map(({ file }) => file)].map(folderOf);
}

function pem({ der }: Certificate): string {
  return derToPem(der, 'CERTIFICATE');
}

function only<Item>(items: readonly Item[], what: string): Item {
  const [item] = items;
  if (item === undefined || items.length > 1) {
    throw new SallyportError(
      'internal',
      `the first configuration is to have one ${what}, not ${items.length}`,
    );
  }
  return item;
}

function fileOf(reference: SecretReference | null): string {
  if (reference === null || !('file' in reference)) {
    throw new SallyportError('internal', 'the first configuration is to keep its secrets in files');
  }
  return reference.file;
}
