import type { EvidenceFault } from './examination.ts';

/** An objection where something is not positively proven, none where it is. */
export function objectUnless(proven: boolean, check: string, detail: string): readonly EvidenceFault[] {
  return proven ? [] : [{ check, detail }];
}
