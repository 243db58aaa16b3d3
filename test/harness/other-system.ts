import { EventEmitter, once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Cleanup } from './authority.ts';
import { privateKeyPem } from './csr.ts';
import { TestCa } from './pki.ts';

/** A question as it arrived. */
export interface Question {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly text: string;
}

export interface Reply {
  readonly status?: number;
  /** Of JSON, but for text as it is. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** 'hang': it takes the question and never answers. */
export type Answering = (question: Question) => Reply | 'hang' | Promise<Reply>;

/** A system on loopback that an authority asks over TLS, with a CA of its own. */
export class OtherSystem {
  readonly url: string;
  /** PEM file of its CA. */
  readonly caFile: string;
  readonly questions: Question[] = [];
  answering: Answering;
  readonly #came = new EventEmitter();

  private constructor(url: string, caFile: string, answering: Answering) {
    this.url = url;
    this.caFile = caFile;
    this.answering = answering;
  }

  /** `clients`: the CA whose certificates alone it lets in, PEM; without one it asks for none. */
  static async start(cleanup: Cleanup, answering: Answering, clients?: string): Promise<OtherSystem> {
    const folder = await mkdtemp(path.join(tmpdir(), 'sallyport-other-'));
    cleanup.after(() => rm(folder, { recursive: true, force: true }));
    const ca = TestCa.root('Other System');
    const own = ca.endEntity({
      subject: [{ type: 'commonName', value: 'localhost' }],
      subjectAltName: [{ kind: 'dns', value: 'localhost' }],
      extendedKeyUsage: ['serverAuth'],
    });
    const caFile = path.join(folder, 'ca.pem');
    await writeFile(caFile, ca.pem);
    const mutual = clients === undefined ? {} : { ca: clients, requestCert: true, rejectUnauthorized: true };
    const identity = { cert: own.pem, key: privateKeyPem(own.key) };
    const server = createServer({ ...identity, ...mutual }, (request, response) => {
      void system.#answer(request, response);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    cleanup.after(() => {
      server.closeAllConnections();
      server.close();
    });
    const { port } = server.address() as AddressInfo;
    const system = new OtherSystem(`https://localhost:${port}`, caFile, answering);
    return system;
  }

  /** The first question that is like this, which may have yet to come. */
  async question(isIt: (question: Question) => boolean): Promise<Question> {
    for (;;) {
      const found = this.questions.find(isIt);
      if (found !== undefined) return found;
      await once(this.#came, 'question', { signal: AbortSignal.timeout(10_000) });
    }
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    const { method = '', url = '', headers } = request;
    const question = { method, path: url, headers, text: Buffer.concat(parts).toString('utf8') };
    this.questions.push(question);
    this.#came.emit('question');
    const reply = await this.answering(question);
    if (reply === 'hang') return;
    const { status = 200, body = {}, headers: more = {} } = reply;
    response.writeHead(status, { 'content-type': 'application/json', ...more });
    response.end(typeof body === 'string' ? body : JSON.stringify(body));
  }
}
