import { derToPem } from '#x509';
import { execFileSync, spawnSync } from 'node:child_process';
import type { KeyObject } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/* `openssl cms` and `certtool`, over files that last as long as the call. */

function inFolder<T>(files: Record<string, string | Uint8Array>, use: (folder: string) => T): T {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-cms-'));
  try {
    for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content);
    return use(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function run(program: string, folder: string, args: readonly string[]): string {
  return execFileSync(program, args, { cwd: folder, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}

/** What was inside. Without `-debug_decrypt` a wrong key gives rubbish instead of an error. */
export function opensslDecrypt(
  openssl: string,
  message: Uint8Array,
  certificate: Uint8Array,
  privateKey: KeyObject,
): Uint8Array {
  const files = {
    'message.der': message,
    'recipient.pem': derToPem(certificate, 'CERTIFICATE'),
    'key.pem': privateKey.export({ format: 'pem', type: 'pkcs8' }),
  };
  const recipient = ['-recip', 'recipient.pem', '-inkey', 'key.pem', '-debug_decrypt'];
  const paths = ['-inform', 'DER', '-in', 'message.der', '-binary', '-out', 'content'];
  return inFolder(files, (folder) => {
    run(openssl, folder, ['cms', '-decrypt', ...paths, ...recipient]);
    return new Uint8Array(readFileSync(join(folder, 'content')));
  });
}

/** The content whose signature, and whose signer's chain for the purpose of signing mail, OpenSSL accepted. */
export function opensslVerify(openssl: string, message: Uint8Array, root: Uint8Array): Uint8Array {
  const files = { 'message.der': message, 'root.pem': derToPem(root, 'CERTIFICATE') };
  const paths = ['-inform', 'DER', '-in', 'message.der', '-binary', '-out', 'content'];
  return inFolder(files, (folder) => {
    run(openssl, folder, ['cms', '-verify', ...paths, '-CAfile', 'root.pem']);
    return new Uint8Array(readFileSync(join(folder, 'content')));
  });
}

/** What `openssl cms -cmsout -print` says of a message. */
export function opensslPrint(openssl: string, message: Uint8Array): string {
  return inFolder({ 'message.der': message }, (folder) =>
    run(openssl, folder, ['cms', '-cmsout', '-print', '-noout', '-inform', 'DER', '-in', 'message.der']),
  );
}

/** What certtool says of the signature of a message: on the error stream, whether it likes it or not. */
export function certtoolVerify(certtool: string, message: Uint8Array, root: Uint8Array): string {
  const files = { 'message.der': message, 'root.pem': derToPem(root, 'CERTIFICATE') };
  const paths = ['--inder', '--infile', 'message.der', '--load-ca-certificate', 'root.pem'];
  return inFolder(
    files,
    (cwd) => spawnSync(certtool, ['--p7-verify', ...paths], { cwd, encoding: 'utf8' }).stderr,
  );
}

/** What `openssl cms -sign` writes, content included. */
export function opensslSign(
  openssl: string,
  content: Uint8Array,
  certificate: Uint8Array,
  privateKey: KeyObject,
  options: readonly string[],
): Uint8Array {
  const files = {
    content,
    'signer.pem': derToPem(certificate, 'CERTIFICATE'),
    'key.pem': privateKey.export({ format: 'pem', type: 'pkcs8' }),
  };
  const paths = ['-in', 'content', '-binary', '-outform', 'DER', '-out', 'message.der'];
  return inFolder(files, (folder) => {
    const by = ['-signer', 'signer.pem', '-inkey', 'key.pem'];
    run(openssl, folder, ['cms', '-sign', '-nodetach', ...paths, ...by, ...options]);
    return new Uint8Array(readFileSync(join(folder, 'message.der')));
  });
}

/** What `openssl cms -encrypt` writes, for these recipients. */
export function opensslEncrypt(
  openssl: string,
  content: Uint8Array,
  recipients: readonly Uint8Array[],
  options: readonly string[],
): Uint8Array {
  const names = recipients.map((_, at) => `recipient-${at}.pem`);
  const files = {
    content,
    ...Object.fromEntries(names.map((name, at) => [name, derToPem(recipients[at]!, 'CERTIFICATE')])),
  };
  const paths = ['-in', 'content', '-binary', '-outform', 'DER', '-out', 'message.der'];
  return inFolder(files, (folder) => {
    // Options for the key of a recipient follow it, and stand before the next.
    const to = names.flatMap((name) => [
      '-recip',
      name,
      ...options.filter((each) => each.startsWith('-keyopt=')).flatMap((each) => ['-keyopt', each.slice(8)]),
    ]);
    const others = options.filter((each) => !each.startsWith('-keyopt='));
    run(openssl, folder, ['cms', '-encrypt', ...paths, ...others, ...to]);
    return new Uint8Array(readFileSync(join(folder, 'message.der')));
  });
}
