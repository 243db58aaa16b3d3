import type { Environment } from '#config';

/** The world as a command sees it. `main.ts` gives the process's own. */
export interface Terminal {
  readonly environment: Environment;
  /** The working folder, absolute. */
  readonly folder: string;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** n bytes of a cryptographic generator. */
  readonly random: (n: number) => Uint8Array;
  readonly out: (text: string) => void;
  /** The same for what is not text. */
  readonly outBytes: (bytes: Uint8Array) => void;
  readonly err: (text: string) => void;
  /** Standard output is a terminal: then there may be colour. */
  readonly outIsTerminal: boolean;
  /** The whole of standard input. */
  readonly readInput: () => Promise<Uint8Array>;
  /** Asks a person; null where nobody is there to answer. */
  readonly ask: ((question: string) => Promise<string>) | null;
  /** Calls back at each signal until the returned function is called. */
  readonly onSignal: (signal: 'SIGHUP' | 'SIGINT' | 'SIGTERM', listener: () => void) => () => void;
}
