import { mkdir, readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import path from 'node:path';
import type { Cleanup } from '../../harness/authority.ts';
import type { ClientFolder } from '../../harness/client-files.ts';

/** The web server beside clients that have none of their own: the folder into which they write what http-01 asks for. */
export class WebFolder {
  readonly directory: string;
  readonly #server;

  private constructor(directory: string) {
    this.directory = directory;
    this.#server = createServer((request, response) => {
      const name = /^\/\.well-known\/acme-challenge\/([\w-]+)$/.exec(request.url ?? '')?.[1];
      const read = name === undefined ? Promise.reject(new Error()) : readFile(path.join(directory, name));
      read.then(
        (content) => response.end(content),
        () => response.writeHead(404).end(),
      );
    });
  }

  static async open(cleanup: Cleanup, folder: ClientFolder, port: number): Promise<WebFolder> {
    const directory = folder.path('web');
    await mkdir(directory);
    const web = new WebFolder(directory);
    await new Promise<void>((resolve, reject) => {
      web.#server.once('error', reject).listen(port, '127.0.0.1', resolve);
    });
    cleanup.after(() => web.close());
    return web;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
