import path from 'node:path';
import type { TestContext } from 'node:test';
import { type Client, requireClient } from '../clients.ts';
import type { Cleanup } from '../harness/authority.ts';
import { ClientFolder, type ProcessResult } from '../harness/client-files.ts';

/** A command line in Java around a client that is a library: compiled once, run as often as wanted. */
export class JavaDriver {
  readonly #cleanup: Cleanup;
  readonly #source: string;
  readonly #library: Client;
  #classes: Promise<string> | undefined;

  /** `library`: one whose path is a class path. */
  constructor(cleanup: Cleanup, source: string, library: Client) {
    this.#cleanup = cleanup;
    this.#source = source;
    this.#library = library;
  }

  /** A folder and the command line in it, or null once the test is marked as skipped. */
  async prepare(t: Pick<TestContext, 'skip'> & Cleanup): Promise<{
    readonly folder: ClientFolder;
    readonly run: (...words: string[]) => Promise<ProcessResult>;
  } | null> {
    const java = requireClient(t, 'java');
    const javac = requireClient(t, 'javac');
    const jars = requireClient(t, this.#library);
    if (java === null || javac === null || jars === null) return null;
    this.#classes ??= this.#compile(javac, jars);
    const classPath = [await this.#classes, jars].join(path.delimiter);
    const folder = await ClientFolder.make(t);
    const name = path.basename(this.#source, '.java');
    const run = async (...words: string[]) =>
      folder.run(java, '-XX:TieredStopAtLevel=1', '-cp', classPath, name, ...words);
    return { folder, run };
  }

  async #compile(javac: string, jars: string): Promise<string> {
    const folder = await ClientFolder.make(this.#cleanup);
    await folder.must(javac, '-cp', jars, '-d', folder.directory, this.#source);
    return folder.directory;
  }
}
