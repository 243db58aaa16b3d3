import { supportCode } from '#enrollment';

/** The letter tells what an id names: requests have R. */
const letters = {
  act: 'A',
  approval: 'P',
  secret: 'S',
  externalAccountKey: 'K',
  call: 'C',
  fault: 'F',
  erased: 'E',
} as const;

/** 80 random bits, as a request's id has them: `S-XXXX-XXXX-XXXX-XXXX`. */
export function newId(kind: keyof typeof letters, random: (n: number) => Uint8Array): string {
  return `${letters[kind]}${supportCode(random).slice(1)}`;
}
