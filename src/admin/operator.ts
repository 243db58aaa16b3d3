import { hash } from 'node:crypto';
import type { CallSource } from '#enrollment';

/** Who acts. Only a token's owner becomes one, or, of a machine, who has what it proves itself by. */
export interface Operator {
  readonly name: string;
  /** Of a machine alone, which comes over the network. */
  readonly source?: CallSource;
}

/** 256 random bits; the prefix lets scanners for leaked credentials find it. */
export function generateOperatorToken(random: (n: number) => Uint8Array): string {
  return `sallyport_${Buffer.from(random(32)).toString('base64url')}`;
}

/** What the store keeps. A token has 256 bits of its own, so a plain hash suffices and looking it up tells nothing. */
export function hashOperatorToken(token: string): Uint8Array {
  return hash('sha256', `sallyport operator token\0${token}`, 'buffer');
}

const operatorName = /^[A-Za-z0-9][A-Za-z0-9._@-]{0,63}$/;

export function isOperatorName(name: string): boolean {
  return operatorName.test(name);
}
