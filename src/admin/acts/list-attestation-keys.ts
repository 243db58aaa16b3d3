import * as z from 'zod';
import { act } from '../act.ts';
import { page } from '../input.ts';

const input = z.strictObject({ limit: page.limit });
/** Named for each key: who wants more asks for its entries. */
const namedDevices = 5;

/** Those by which the most devices got certificates first: there is no page after that. */
export const listAttestationKeys = act(input, ({ store }, _operator, { limit }) =>
  store.attestationKeys({ limit, devices: namedDevices }),
);
