import {
  decodeEntry,
  documentOf,
  type EarlierLog,
  leafHash,
  type LogReader,
  type StoredBlob,
  verifyBlob,
} from '#audit';
import { erasedBy, readEntry, type RequestEntry, RequestReplay } from '#enrollment';
import { isSallyportError, SallyportError } from '#errors';
import { isAbout } from './about-device.ts';
import type { AdminPorts } from './ports.ts';

/** One log, as far as it was looked through. */
interface LogLooked {
  readonly number: number;
  readonly origin: string;
  readonly reader: LogReader;
  size: number;
  /** Of the device, ascending. */
  readonly indexes: number[];
  /** Of version 1: they name the device in the tree itself, and stay. */
  readonly staying: number[];
  /** Whose document is not there. */
  readonly absent: Set<number>;
}

const entriesAtOnce = 256;
/** With it a document begins. */
const brace = 0x7b;

/**
 * All that the logs have of one device. Each of its entries is opened, derived and judged again on the way: where one does not verify, erasing would hide
 * it. The whole log is read, since no index of names is kept.
 */
export class DeviceTraces {
  readonly #id: string;
  readonly #accounts: readonly string[];
  readonly #names: readonly string[];
  readonly #ports: Pick<AdminPorts, 'log' | 'store'>;
  readonly #replay: RequestReplay;
  readonly #logs: LogLooked[] = [];
  /** What is beside the entries. */
  blobs = 0;
  /** Acts of erasure that were met, of whichever device. */
  erasures = 0;

  /** `accounts`: those of which evidence said that they are its. */
  constructor(id: string, accounts: readonly string[], ports: Pick<AdminPorts, 'log' | 'store'>) {
    this.#id = id;
    this.#accounts = accounts;
    this.#names = [id, ...accounts].map((name) => JSON.stringify(name));
    this.#ports = ports;
    this.#replay = new RequestReplay(ports.store);
  }

  get logs(): readonly Pick<LogLooked, 'number' | 'origin' | 'indexes'>[] {
    return this.#logs.filter(({ indexes }) => indexes.length > 0);
  }

  /** Of the log that is written, when it was looked through. */
  get lookedThrough(): number {
    return this.#logs.at(-1)!.size;
  }

  /** Everything, or, asked again, what has come since. Throws 'forbidden' where something does not verify. */
  async look(origin: string): Promise<void> {
    const { log } = this.#ports;
    if (this.#logs.length === 0) {
      const earlier = await log.earlier();
      for (const each of earlier) await this.#lookAt(beginningOf(each, each), each.head.size);
      this.#logs.push(beginningOf({ number: (earlier.at(-1)?.number ?? -1) + 1, origin }, log));
    }
    await this.#lookOn(this.#logs.at(-1)!, (await log.head()).size);
    for (const { absent } of this.#logs) {
      for (const index of absent) {
        throw unverified(index, 'its personal fields are not there, and no act erased them');
      }
    }
  }

  get staying(): number {
    return this.#logs.reduce((sum, { staying }) => sum + staying.length, 0);
  }

  /** The entry is the device's, whether or not it can be erased. */
  has(log: number, index: number): boolean {
    const found = this.#logs.find(({ number }) => number === log);
    return found !== undefined && (found.indexes.includes(index) || found.staying.includes(index));
  }

  async #lookAt(log: LogLooked, size: number): Promise<void> {
    this.#logs.push(log);
    await this.#lookOn(log, size);
  }

  async #lookOn(log: LogLooked, size: number): Promise<void> {
    while (log.size < size) {
      const [from, to] = [log.size, Math.min(log.size + entriesAtOnce, size)];
      const { reader } = log;
      const [entries, blobs, hashes] = await Promise.all([
        reader.entries(from, to),
        reader.blobs(from, to),
        reader.hashes.read(0, from, to),
      ]);
      const byEntry = Map.groupBy(blobs, ({ index }) => index);
      for (const { index, bytes } of entries) {
        try {
          await this.#entry(log, index, bytes, byEntry.get(index) ?? [], hashes[index - from]);
        } catch (error) {
          if (!isSallyportError(error)) throw error;
          throw unverified(index, error.message);
        }
      }
      log.size = to;
    }
  }

  async #entry(
    log: LogLooked,
    index: number,
    bytes: Uint8Array,
    beside: readonly StoredBlob[],
    hash: Uint8Array | undefined,
  ): Promise<void> {
    const text = buffer(bytes);
    const all = [text, ...beside.map((blob) => buffer(blob.bytes))];
    const isNamed = this.#names.some((name) => all.some((each) => each.includes(name)));
    if (isNamed) await this.#naming(log, index, bytes, beside, hash);
    // Most entries have their document, and are no acts: they are not even parsed.
    if (beside.every(({ bytes: [first] }) => first !== brace) && text.includes('"sealed":')) {
      const leaf = decodeEntry(bytes);
      if (leaf['sealed'] !== undefined && documentOf(leaf, beside) === null) log.absent.add(index);
    }
    if (text.includes('"act":"device.erase"')) this.#erasure(bytes);
  }

  async #naming(
    log: LogLooked,
    index: number,
    bytes: Uint8Array,
    beside: readonly StoredBlob[],
    hash: Uint8Array | undefined,
  ): Promise<void> {
    const { entry, document } = readEntry(bytes, beside);
    // Without its document nobody can say whose it was.
    if (document === 'absent' || !isAbout(this.#id, entry, this.#accounts)) return;
    if (document === 'none') {
      log.staying.push(index);
      return;
    }
    if (hash === undefined || Buffer.compare(hash, leafHash(bytes)) !== 0) {
      throw new SallyportError('log', 'it is not what was hashed when it was logged');
    }
    const { evidence, certificationRequest } = entry as unknown as Partial<RequestEntry>;
    const kept = evidence ?? certificationRequest ?? null;
    const request = beside.find(({ address }) => buffer(address).toString('hex') === kept?.blob);
    if (beside.length !== (kept === null ? 1 : 2) || (kept !== null && request === undefined)) {
      throw new SallyportError('log', 'what is kept beside it is not what it names');
    }
    if (request !== undefined) verifyBlob(request);
    const objection =
      entry['type'] === 'request' ? await this.#replay.objectionTo(entry as unknown as RequestEntry) : null;
    if (objection !== null) throw new SallyportError('log', objection);
    log.indexes.push(index);
    this.blobs += beside.length;
  }

  /** An earlier one, of what is absent since. */
  #erasure(bytes: Uint8Array): void {
    this.erasures += 1;
    for (const { log: origin, indexes } of erasedBy(decodeEntry(bytes))) {
      const log = this.#logs.find((each) => each.origin === origin);
      for (const index of log?.absent ?? []) {
        if (indexes.some(([first, last]) => first <= index && index <= last)) log!.absent.delete(index);
      }
    }
  }
}

function beginningOf(
  { number, origin }: Pick<EarlierLog, 'number' | 'origin'>,
  reader: LogReader,
): LogLooked {
  return { number, origin, reader, size: 0, indexes: [], staying: [], absent: new Set() };
}

function unverified(index: number, words: string): SallyportError {
  return new SallyportError(
    'forbidden',
    `entry ${index} does not verify, so nothing is erased: ${words}; see \`sallyport log verify\``,
  );
}

function buffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
