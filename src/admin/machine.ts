import { hash } from 'node:crypto';
import type { MachineScope } from './machine-scope.ts';

/** What asks the API by itself, with nobody at the keyboard: an MDM, a NAC, a script. */
export interface Machine {
  readonly name: string;
  readonly scopes: readonly MachineScope[];
  /** It acts for these and for no others. */
  readonly templates: readonly string[];
  /** Ranges of addresses that it comes from; null: any that the listener takes. */
  readonly sources: readonly string[] | null;
}

const tokenPrefix = 'sallyport_m_';

/** 256 random bits; the prefix lets scanners for leaked credentials find it, and tells it from an operator's. */
export function generateMachineToken(random: (n: number) => Uint8Array): string {
  return `${tokenPrefix}${Buffer.from(random(32)).toString('base64url')}`;
}

export function isMachineToken(text: string): boolean {
  return text.startsWith(tokenPrefix) && /^[\w-]{43}$/.test(text.slice(tokenPrefix.length));
}

/** What the store keeps. A token has 256 bits of its own, so a plain hash suffices and looking it up tells nothing. */
export function hashMachineToken(token: string): Uint8Array {
  return hash('sha256', `sallyport machine token\0${token}`, 'buffer');
}

/** Under what the log and the store have what a machine did. No operator's name has a colon. */
export function nameOfMachine({ name }: Pick<Machine, 'name'>): string {
  return `machine:${name}`;
}
