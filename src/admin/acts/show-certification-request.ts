import * as z from 'zod';
import { decodeEntry, verifyBlob } from '#audit';
import type { RequestEntry } from '#enrollment';
import { SallyportError } from '#errors';
import { act } from '../act.ts';
import { identifier } from '../input.ts';
import { knownEntry } from './show-entry.ts';

/** The certification request of an entry, as it is kept beside the log. Checked against the entry before it is given out. */
export const showCertificationRequest = act(
  z.strictObject({ id: identifier }),
  async (ports, _operator, { id }) => {
    const { index, bytes, earlier } = await knownEntry(ports, id);
    // Entries of another kind have no such member.
    const { certificationRequest: kept } = decodeEntry(bytes) as unknown as Partial<RequestEntry>;
    if (kept === undefined || kept === null) {
      throw new SallyportError('not-found', `entry ${index} is of no certification request that was read`);
    }
    const blobs = await (earlier ?? ports.log).blobs(index, index + 1);
    const blob = blobs.find(({ address }) => Buffer.from(address).toString('hex') === kept.blob);
    if (blob === undefined) {
      throw new SallyportError(
        'not-found',
        `the certification request of entry ${index} is not there any more`,
      );
    }
    verifyBlob(blob);
    return {
      index,
      /** DER in base64. */
      certificationRequest: Buffer.from(blob.bytes).toString('base64'),
      /** Without what holds secrets: then the signature does not fit what is left. */
      asReceived: kept.original === null,
    };
  },
);
