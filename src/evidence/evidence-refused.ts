import type { EvidenceFault } from './examination.ts';

/** A check that failed. It never leaves this room: `examine` puts it into its result. */
export class EvidenceRefused extends Error {
  readonly fault: EvidenceFault;

  constructor(check: string, detail: string) {
    super(detail);
    this.name = 'EvidenceRefused';
    this.fault = { check, detail };
  }
}
