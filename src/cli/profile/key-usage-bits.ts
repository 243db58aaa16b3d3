import type { Template } from '#ca';
import { SallyportError } from '#errors';

/**
 * The sum of the bits that a client has for the template's usages: a request that asks for another is refused. Throws 'usage' where it has a bit for none of
 * them.
 */
export function keyUsageBits(
  { name, keyUsage }: Pick<Template, 'name' | 'keyUsage'>,
  client: string,
  bits: { readonly digitalSignature: number; readonly keyEncipherment: number },
): number {
  const sum =
    (keyUsage.includes('digitalSignature') ? bits.digitalSignature : 0) +
    (keyUsage.includes('keyEncipherment') ? bits.keyEncipherment : 0);
  if (sum > 0) return sum;
  throw new SallyportError(
    'usage',
    `template ${name} has keyUsage ${keyUsage.join(', ')}, and ${client} knows digitalSignature and keyEncipherment alone`,
  );
}
