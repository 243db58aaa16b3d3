import type { ErrorCode } from '#errors';
import type { OperationName } from '../operations.ts';
import type { StorageStats } from '../storage.ts';

export interface Call {
  readonly id: number;
  readonly name: OperationName;
  readonly argument: unknown;
  /** Milliseconds of the clock that all threads have in common and nobody sets. */
  readonly askedAt: number;
}

/** See `askedAt`. */
export function countedMilliseconds(): number {
  return Number(process.hrtime.bigint() / 1_000_000n);
}

/** A SallyportError on its way between threads. */
export interface Fault {
  readonly code: ErrorCode;
  readonly message: string;
}

export type Reply =
  | { readonly id: number; readonly value: unknown }
  | { readonly id: number; readonly fault: Fault };

export type ToStore =
  | { readonly kind: 'calls'; readonly calls: readonly Call[] }
  | { readonly kind: 'stats' }
  | { readonly kind: 'time' }
  | { readonly kind: 'close' };

export type FromStore =
  | { readonly kind: 'opened' }
  | { readonly kind: 'refused'; readonly fault: Fault }
  | { readonly kind: 'replies'; readonly replies: readonly Reply[] }
  | { readonly kind: 'stats'; readonly stats: StorageStats }
  /** null: it could not be read. */
  | { readonly kind: 'time'; readonly time: number | null }
  | { readonly kind: 'closed' };
