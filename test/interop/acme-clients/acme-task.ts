import { existsSync, globSync, readFileSync } from 'node:fs';
import type { ClientFolder, ProcessResult } from '../../harness/client-files.ts';
import type { Daemon } from '../../harness/daemon.ts';

/** What a client is told of the server, and where it answers the server's challenges. All of it on the loopback. */
export interface AcmeServer {
  readonly directoryUrl: string;
  /** A PEM file: the root of the server's TLS. */
  readonly trustPem: string;
  /** Where the server asks for http-01, and where for tls-alpn-01: whichever client runs listens there. */
  readonly httpPort: number;
  readonly tlsPort: number;
  /** The DNS that the server asks, `host:port`, and where it is told its TXT records. */
  readonly dns: string;
  readonly dnsManagementUrl: string;
}

export type Challenge = 'http-01' | 'dns-01' | 'tls-alpn-01';

export interface ExternalAccount {
  readonly kid: string;
  /** base64url. */
  readonly hmacKey: string;
}

export interface AcmeTask {
  /** Of DNS, the first one first. */
  readonly names: readonly string[];
  readonly challenge: Challenge;
  /** null: an account of nobody's. */
  readonly eab: ExternalAccount | null;
}

export interface AcmeResult extends ProcessResult {
  /** A PEM file, the issued certificate first and its issuers behind it; null where there is none. */
  readonly certificate: string | null;
}

/** One client with what it keeps. */
export interface AcmeClient {
  /** Registers an account where it has none, and gets a certificate. */
  enroll(task: AcmeTask): Promise<AcmeResult>;
  /** The same names again, before their time. */
  renew(task: AcmeTask): Promise<AcmeResult>;
  /** What it got last. Some have no command for it. */
  revoke?(task: AcmeTask): Promise<ProcessResult>;
}

/** With the file where there is one. */
export function acmeResult(result: ProcessResult, certificate: string): AcmeResult {
  return { ...result, certificate: existsSync(certificate) ? certificate : null };
}

/** Asked again and again: the first of these files (patterns, each of one file), once each of them is a certificate that was not there before. */
export function newCertificates(folder: ClientFolder, patterns: readonly string[]): () => string | null {
  const found = () =>
    patterns.map((pattern) => {
      const [file] = globSync(pattern, { cwd: folder.directory });
      if (file === undefined) return null;
      const path = folder.path(file);
      const content = readFileSync(path, 'utf8');
      return content.includes('END CERTIFICATE') ? { path, content } : null;
    });
  const before = found().map((each) => each?.content);
  return () => {
    const now = found();
    const isNew = now.every((each, index) => each !== null && each.content !== before[index]);
    return isNew ? now[0]!.path : null;
  };
}

/** For a client that is a daemon: it is ended once it has its certificate, or gives up. */
export async function daemonResult(daemon: Daemon, got: () => string | null): Promise<AcmeResult> {
  let failure = '';
  await daemon
    .until('it had a certificate', async () => got() !== null)
    .catch((error: unknown) => {
      failure = String(error);
    });
  await daemon.stop();
  const certificate = got();
  return {
    code: certificate === null ? 1 : 0,
    stdout: Buffer.alloc(0),
    stderr: failure || daemon.said,
    certificate,
  };
}
