import { hash } from 'node:crypto';
import type { EstAnswer } from '../harness/est-client.ts';

/** What the outside world holds of an authority, whatever became of its processes. */
export class Witness {
  /** Certificates that clients received: SHA-256, and whose it is. */
  readonly received = new Map<string, string>();
  /** ACME orders that gave a certificate: its SHA-256, by the id of the order. */
  readonly orders = new Map<string, string>();
  /** Support codes of answers that say that something was recorded. */
  readonly codes = new Set<string>();
  /** Published checkpoints: the root by the size, in hex. */
  readonly checkpoints = new Map<number, string>();
  /** What an operator was told is revoked. */
  readonly revoked = new Set<string>();
  /** Answers by their status. */
  readonly statuses = new Map<number, number>();
  /** Answers that no client should have got. */
  readonly findings: string[] = [];

  saw(
    device: string,
    { status, certificates, text }: Pick<EstAnswer, 'status' | 'certificates' | 'text'>,
  ): void {
    this.statuses.set(status, (this.statuses.get(status) ?? 0) + 1);
    for (const der of certificates) this.received.set(hash('sha256', der), device);
    // A fault may be one of the log itself: then its code stands nowhere.
    const code = status === 503 ? undefined : /R(?:-[0-9A-Z]{4}){4}/.exec(text)?.[0];
    if (code !== undefined) this.codes.add(code);
  }

  ordered(order: string, sha256: string): void {
    const before = this.orders.get(order);
    if (before !== undefined && before !== sha256) this.findings.push(`order ${order} gave two certificates`);
    this.orders.set(order, sha256);
  }

  published({ size, root }: { readonly size: number; readonly root: string }): void {
    const before = this.checkpoints.get(size);
    if (before !== undefined && before !== root) {
      this.findings.push(`two checkpoints of size ${size} were published, with different roots`);
    }
    this.checkpoints.set(size, root);
  }
}
