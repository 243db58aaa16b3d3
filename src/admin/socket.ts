import { SallyportError } from '#errors';
import { chmod, lstat, mkdir, stat, unlink } from 'node:fs/promises';
import { createServer, type RequestListener } from 'node:http';
import { connect } from 'node:net';
import { dirname } from 'node:path';
import type { Report } from './ports.ts';

export interface AdminSocket {
  readonly path: string;
  /** No new calls; resolves when those under way are answered. */
  close(): Promise<void>;
}

/** unix(7): sun_path has 108 octets, the last of them a zero. A longer path would be cut, and the socket stand elsewhere. */
const maximumPathLength = 107;

export interface SocketOptions {
  /** Path of the socket. */
  readonly socket: string;
  readonly handler: RequestListener;
  readonly report: Report;
  readonly maximumConnections?: number;
  readonly requestTimeoutSeconds?: number;
}

/** Listens on a unix socket that only this user can reach. Throws 'conflict' when an authority answers there already. */
export async function startAdminSocket(options: SocketOptions): Promise<AdminSocket> {
  const { socket: path, maximumConnections = 100, requestTimeoutSeconds = 30 } = options;
  if (Buffer.byteLength(path) > maximumPathLength) {
    throw new SallyportError(
      'config',
      `the admin socket's path is longer than ${maximumPathLength} octets, which no socket can have: ${path}`,
    );
  }
  await demandPrivateDirectory(dirname(path));
  await removeStaleSocket(path);

  const requestTimeout = requestTimeoutSeconds * 1000;
  const limits = { maxHeaderSize: 8192, headersTimeout: Math.min(10_000, requestTimeout), requestTimeout };
  const server = createServer(limits, options.handler);
  server.maxConnections = maximumConnections;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, resolve);
  });
  server.on('error', (error) => options.report({ id: 'admin socket', error }));
  await chmod(path, 0o600);
  return {
    path,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeIdleConnections();
      }),
  };
}

/** The directory's mode guards the socket between its creation and its own chmod, so it comes first. */
async function demandPrivateDirectory(directory: string): Promise<void> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const { mode, uid } = await stat(directory);
  if ((mode & 0o077) !== 0 || uid !== process.getuid?.()) {
    throw new SallyportError(
      'config',
      `the admin socket's directory must belong to this user alone: chmod 700 ${directory}`,
    );
  }
}

async function removeStaleSocket(path: string): Promise<void> {
  const existing = await lstat(path).catch(() => null);
  if (existing === null) return;
  if (!existing.isSocket()) {
    throw new SallyportError('config', `${path} is no socket; it is in the way of the admin socket`);
  }
  if (await answers(path)) {
    throw new SallyportError('conflict', `an authority is running already: it answers on ${path}`);
  }
  await unlink(path);
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect(path);
    probe.once('connect', () => {
      probe.destroy();
      resolve(true);
    });
    probe.once('error', (error: NodeJS.ErrnoException) => {
      // Only a refusal says that nobody listens; a full backlog or a missing right says nothing of the kind.
      resolve(error.code !== 'ECONNREFUSED' && error.code !== 'ENOENT');
    });
  });
}
